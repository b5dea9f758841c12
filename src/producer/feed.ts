import { CapError, once, type Size, toCapError } from '../core/index.js';
import type { Pipeline } from '../native/index.js';
import { FeedConnection, type FeedInput } from './feed-connection.js';
import type { SourceListener, SourceWatch, VideoSource } from './video-source.js';

export interface FeedOptions extends FeedInput {
  /** For people, without credentials. */
  readonly label: string;
  /** What comes after the input's end or failure. */
  readonly afterwards: 'end' | 'rewind' | 'reconnect';
  /** In words, what made the input fail. */
  explain(error: CapError): CapError | Promise<CapError>;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
const STALL_CHECK_MS = 1000;
/** Without a picture for this long a connection is made anew. */
const STALL_MS = 10_000;

/**
 * The element that another pipeline's pictures arrive at. A newer raw picture replaces one that still waits. What
 * follows coded ones never blocks, so that none wait.
 */
const arrival = (coded: boolean): string =>
  `appsrc name=source is-live=true format=time ${coded ? 'max-buffers=0' : 'max-buffers=1 leaky-type=downstream'}`;

/**
 * Opens a source whose pictures come from a pipeline of its own, which may end and start again while the capture,
 * and with it every reader, goes on. Times are those of arrival. The first connection must succeed.
 */
export async function openFeed(options: FeedOptions): Promise<VideoSource> {
  const feed = new Feed(options, await connect(options));
  return {
    label: options.label,
    launch: arrival(options.coded),
    properties: {},
    size: feed.size,
    coded: options.coded,
    watch: (listener, pipeline) => feed.start(listener, pipeline),
    close: () => feed.close(),
  };
}

async function connect(options: FeedOptions): Promise<FeedConnection> {
  try {
    return await FeedConnection.open(options);
  } catch (error) {
    const explains = error instanceof CapError && error.code !== 'CAP_DEPENDENCY_MISSING';
    throw explains ? await options.explain(error) : error;
  }
}

class Feed implements SourceWatch {
  readonly size: Size;
  readonly #options: FeedOptions;
  #connection: FeedConnection | undefined;
  #listener: SourceListener | undefined;
  #pipeline: Pipeline | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #active = new AbortController();

  constructor(options: FeedOptions, connection: FeedConnection) {
    this.#options = options;
    this.#connection = connection;
    this.size = connection.size;
  }

  start(listener: SourceListener, pipeline: Pipeline): SourceWatch {
    this.#listener = listener;
    this.#pipeline = pipeline;
    if (this.#connection) this.#run(this.#connection);
    return this;
  }

  readonly close = once(async () => {
    await this.rest();
  });

  /** Lets the camera or file go. */
  async rest(): Promise<void> {
    this.#active.abort();
    clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }

  resume(): void {
    this.#active = new AbortController();
    this.#retryMs = FIRST_RETRY_MS;
    void this.#reopen();
  }

  /** Closed, or at rest. */
  get #stopped(): boolean {
    return this.#active.signal.aborted;
  }

  #run(connection: FeedConnection): void {
    connection.on('failed', (error) => void this.#onBroken(connection, error));
    connection.on('ended', () => void this.#onEnded(connection));
    connection.attach(this.#pipeline as Pipeline, 'source');
    if (connection.failure) void this.#onBroken(connection, connection.failure);
    else if (this.#options.afterwards === 'reconnect') this.#watchForStall(connection, -1, performance.now());
    // A file has been playing to nobody until now; one that cannot seek goes on from where it is.
    else if (this.#options.paced) connection.rewind().catch(() => {});
  }

  #watchForStall(connection: FeedConnection, lastCount: number, sinceMs: number): void {
    this.#timer = setTimeout(() => {
      const { forwarded } = connection;
      const now = performance.now();
      if (forwarded > lastCount) {
        this.#retryMs = FIRST_RETRY_MS;
        this.#watchForStall(connection, forwarded, now);
      } else if (now - sinceMs < STALL_MS) {
        this.#watchForStall(connection, forwarded, sinceMs);
      } else {
        const message = `no picture came for ${STALL_MS / 1000} seconds`;
        void this.#onBroken(connection, new CapError('CAP_STREAM_UNAVAILABLE', message));
      }
    }, STALL_CHECK_MS);
  }

  async #onEnded(connection: FeedConnection): Promise<void> {
    if (this.#stopped || connection !== this.#connection) return;
    const error = new CapError('CAP_SOURCE_LOST', `${this.#options.label} has ended`);
    if (this.#options.afterwards === 'reconnect') return this.#onBroken(connection, error);
    // A file without a picture would start over for ever.
    if (this.#options.afterwards === 'end' || connection.forwarded === 0) return this.#listener?.lost(error);
    try {
      await connection.rewind();
    } catch (cause) {
      if (!this.#stopped)
        this.#listener?.lost(new CapError('CAP_SOURCE_LOST', `${error.message} and cannot start over`, { cause }));
    }
  }

  async #onBroken(connection: FeedConnection, error: CapError): Promise<void> {
    if (this.#stopped || connection !== this.#connection) return;
    this.#connection = undefined;
    clearTimeout(this.#timer);
    const closing = connection.close();
    const explained = await this.#options.explain(error);
    await closing;
    if (!this.#stopped) this.#onOutage(explained);
  }

  #onOutage(error: CapError): void {
    const { message, hint } = error;
    if (this.#options.afterwards !== 'reconnect') {
      const lost = { ...(hint ? { hint } : {}), cause: error };
      this.#listener?.lost(new CapError('CAP_SOURCE_LOST', `${this.#options.label}: ${message}`, lost));
      return;
    }
    this.#listener?.warned(`${this.#options.label}: ${message}; trying again`);
    this.#retryLater();
  }

  #retryLater(): void {
    this.#timer = setTimeout(() => void this.#retry(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  async #retry(): Promise<void> {
    const { signal } = this.#active;
    try {
      await this.#connect(signal);
      if (!signal.aborted) this.#listener?.warned(`${this.#options.label} is back`);
    } catch {
      // The outage has been told of; its end will be.
      if (!signal.aborted) this.#retryLater();
    }
  }

  async #reopen(): Promise<void> {
    const { signal } = this.#active;
    try {
      await this.#connect(signal);
    } catch (error) {
      const explained = await this.#options.explain(toCapError(error));
      if (!signal.aborted) this.#onOutage(explained);
    }
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const connection = await FeedConnection.open(this.#options, signal);
    if (signal.aborted) return connection.close();
    this.#connection = connection;
    this.#run(connection);
  }
}
