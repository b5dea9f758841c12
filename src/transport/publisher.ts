import {
  type CapError,
  type Closable,
  type Logger,
  once,
  silentLogger,
  TypedEvents,
  toCapError,
} from '../core/index.js';
import type { DoorStats } from '../native/index.js';
import type { PublishConnection } from './publish-connection.js';
import { type PublishSecrets, type PublishTarget, parsePublishTarget } from './publish-target.js';
import type { AccessUnitStream } from './shared-stream.js';

/** What a publisher says about its connections. */
export type PublisherEvents = {
  /** The server takes the stream, for the first time or again. */
  connected: [];
  /** The connection broke, or did not come about; another try follows in `retryMs`. */
  disconnected: [error: CapError, retryMs: number];
  closed: [];
};

/** Counters since it was opened: frames that a server took, and frames that were dropped before it. */
export interface PublisherStats extends DoorStats {
  /** Its address, without what is secret in it. */
  readonly server: string;
  readonly connected: boolean;
  /** Connections that broke, and tries that came to nothing. */
  readonly failures: number;
}

export interface PublisherOptions extends PublishSecrets {
  readonly logger?: Logger | undefined;
}

const NOTHING: DoorStats = { delivered: 0, dropped: 0 };
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/** Pushes a shared stream to a server, for as long as it is open: it connects again, after growing pauses. */
export class Publisher extends TypedEvents<PublisherEvents> implements Closable {
  /** The server's address, without what is secret in it. */
  readonly label: string;
  readonly #stream: AccessUnitStream;
  readonly #target: PublishTarget;
  readonly #logger: Logger;
  #connection: PublishConnection | undefined;
  #earlier = NOTHING;
  #connected = false;
  #failures = 0;
  #retryMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * Connects from construction on.
   * @param url `rtsp://`, `rtmp://`, `srt://`, `whip+http://` or `whip+https://`
   * @throws CAP_USAGE, CAP_DEPENDENCY_MISSING
   */
  constructor(stream: AccessUnitStream, url: string, options: PublisherOptions = {}) {
    super();
    const { logger = silentLogger } = options;
    this.#target = parsePublishTarget(url, options);
    this.label = this.#target.label;
    this.#stream = stream;
    this.#logger = logger.child({ publish: this.label });
    if (this.#target.warning) this.#logger.warn(this.#target.warning);
    this.#connect();
  }

  get stats(): PublisherStats {
    const { delivered, dropped } = this.#sum();
    return { server: this.label, connected: this.#connected, failures: this.#failures, delivered, dropped };
  }

  readonly close = once(async () => {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#connection?.close();
    this.emit('closed');
  });

  #connect(): void {
    const connection = this.#target.connect(this.#stream);
    this.#connection = connection;
    connection.on('taken', () => this.#onTaken());
    connection.on('failed', (error) => void this.#onFailed(connection, error));
  }

  #onTaken(): void {
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#connected) return;
    this.#connected = true;
    this.#logger.info('publishing');
    this.emit('connected');
  }

  async #onFailed(connection: PublishConnection, error: CapError): Promise<void> {
    this.#failures += 1;
    // What the elements of a try that came to nothing had taken went nowhere.
    if (this.#connected) this.#earlier = this.#sum();
    this.#connected = false;
    this.#connection = undefined;
    await connection.close();
    if (this.#closed) return;
    const retryMs = this.#retryMs;
    this.#retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    this.#logger.warn(`not published: ${error.message}; trying again in ${retryMs / 1000} s`);
    this.emit('disconnected', error, retryMs);
    this.#timer = setTimeout(() => {
      try {
        this.#connect();
      } catch (failure) {
        this.#logger.error(toCapError(failure).message);
      }
    }, retryMs);
  }

  #sum(): DoorStats {
    const { delivered, dropped } = (this.#connected && this.#connection?.stats) || NOTHING;
    return { delivered: this.#earlier.delivered + delivered, dropped: this.#earlier.dropped + dropped };
  }
}
