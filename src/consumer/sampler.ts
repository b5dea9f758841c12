import {
  CapError,
  closedError,
  type ErrorCode,
  expectInteger,
  type Frame,
  type Logger,
  once,
  parseSeiPayload,
  type Rect,
  redact,
  registerSecret,
  silentLogger,
  TypedEvents,
  unexpected,
} from '../core/index.js';
import {
  expectTlsTrust,
  isRtspUrl,
  type NativePicture,
  nativePromise,
  type RtspAddress,
  splitRtspUrl,
  type TlsTrust,
} from '../native/index.js';
import type { FrameSource } from './frame-source.js';
import { DamageLog } from './gate/damage-log.js';
import { RtspConnection } from './rtsp-connection.js';

/** How the stream is received, and how long is waited for it. */
export interface SamplerOptions {
  /** `tcp` never loses packets; `udp` may. @default 'tcp' */
  readonly protocol?: 'tcp' | 'udp' | undefined;
  /** A login, for an address that has none in it. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** For `rtsps://`. @default what the system trusts */
  readonly tls?: TlsTrust | undefined;
  /** Whether a first connection that fails is tried again, until `connectTimeoutMs` is over. @default true */
  readonly retryFirstConnection?: boolean | undefined;
  /** How long the first frame may take, 500 to 600000. @default 10000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Without a frame for this long the connection is made anew, 1000 to 600000. @default 10000 */
  readonly stallTimeoutMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** The life of the connection; frames are pulled, not sent as events. */
export type SamplerEvents = {
  /** Frames arrive, for the first time or again. */
  connected: [];
  /** The stream broke; another try follows in `retryMs`. */
  disconnected: [error: CapError, retryMs: number];
};

interface Settings {
  readonly protocol: 'tcp' | 'udp';
  readonly tls: TlsTrust;
  readonly retryFirstConnection: boolean;
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

interface Waiter {
  readonly afterSequence: number;
  resolve(): void;
  reject(error: unknown): void;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
/** What another try would not change. */
const FINAL: readonly ErrorCode[] = ['CAP_AUTH_FAILED', 'CAP_TLS_UNTRUSTED', 'CAP_DEPENDENCY_MISSING'];

/**
 * The newest frame of an RTSP stream, by pull: frames in between are decoded and forgotten. Reads our
 * SEI where it is there. Reconnects with growing pauses once it has been connected; sequence numbers
 * go on across connections.
 */
export class Sampler extends TypedEvents<SamplerEvents> implements FrameSource {
  readonly #name: string;
  readonly #address: RtspAddress;
  readonly #options: Settings;
  readonly #logger: Logger;
  #connection: RtspConnection | undefined;
  readonly #damage = new DamageLog();
  #waiters: Waiter[] = [];
  #retryTimer: NodeJS.Timeout | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  #sequenceBase = 0;
  #retryMs = FIRST_RETRY_MS;
  #everConnected = false;
  #connected = false;
  #failure: CapError | undefined;
  #closed = false;
  readonly #startedMs = performance.now();

  /** Starts connecting at once. Throws CAP_USAGE for a URL that is not RTSP. */
  constructor(url: string, options: SamplerOptions = {}) {
    super();
    if (!isRtspUrl(url)) throw unexpected('the stream', 'an rtsp:// URL', redact(url));
    this.#name = redact(url);
    this.#address = withLogin(splitRtspUrl(url), options);
    registerSecret(this.#address.password);
    this.#logger = options.logger ?? silentLogger;
    this.#options = {
      protocol: options.protocol ?? 'tcp',
      tls: expectTlsTrust(options.tls ?? {}),
      retryFirstConnection: options.retryFirstConnection ?? true,
      connectTimeoutMs: expectInteger('connectTimeoutMs', options.connectTimeoutMs ?? 10_000, 500, 600_000),
      stallTimeoutMs: expectInteger('stallTimeoutMs', options.stallTimeoutMs ?? 10_000, 1000, 600_000),
    };
    this.#connect();
  }

  /** Frames decoded so far, over all connections. */
  get framesSeen(): number {
    return this.#sequenceBase + (this.#connection?.framesDecoded ?? 0);
  }

  /**
   * The newest frame with a sequence number above `afterSequence` (default: any), waiting for it if need be.
   * @throws CAP_STREAM_UNAVAILABLE when the stream cannot be reached in time, CAP_AUTH_FAILED, CAP_TLS_UNTRUSTED, CAP_CLOSED, or the signal's reason
   */
  async next(options: { afterSequence?: number; signal?: AbortSignal } = {}): Promise<Frame> {
    const { afterSequence = -1, signal } = options;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed) throw closedError('the sampler');
      if (this.#failure) throw this.#failure;
      if (this.framesSeen - 1 > afterSequence && this.#connection) {
        const base = this.#sequenceBase;
        const picture = await nativePromise(this.#connection.pull());
        if (picture && base === this.#sequenceBase) return toFrame(picture, base);
      }
      await this.#wait(afterSequence, signal);
    }
  }

  damageBetween(afterSequence: number, upToSequence: number): readonly Rect[] | undefined {
    for (const { sequence, seiPayload } of this.#connection?.takePassed() ?? []) {
      const metadata = parseSeiPayload(seiPayload);
      if (metadata) this.#damage.record(this.#sequenceBase + sequence, metadata);
    }
    return this.#damage.between(afterSequence, upToSequence);
  }

  readonly close = once(async () => {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#stallTimer);
    this.#settle((waiter) => waiter.reject(closedError('the sampler')));
    await this.#connection?.close();
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #wait(afterSequence: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.framesSeen - 1 > afterSequence && this.#connection && this.#connection.framesDecoded > 0) {
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const settled = (): void => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = {
        afterSequence,
        resolve: () => {
          settled();
          resolve();
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      const abort = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        waiter.reject(signal?.reason);
      };
      this.#waiters.push(waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #settle(settle: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    waiters.forEach(settle);
  }

  #connect(): void {
    if (this.#closed) return;
    try {
      const connection = new RtspConnection(this.#address, this.#options.protocol, this.#options.tls);
      this.#connection = connection;
      connection.on('frame', () => this.#onFrame(connection));
      connection.on('failed', (error) => this.#onBroken(connection, error));
      this.#armStallTimer(
        connection,
        this.#everConnected ? this.#options.stallTimeoutMs : this.#options.connectTimeoutMs,
      );
    } catch (error) {
      this.#fail(error instanceof CapError ? error : new CapError('CAP_STREAM_UNAVAILABLE', String(error)));
    }
  }

  #armStallTimer(connection: RtspConnection, timeoutMs: number): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = setTimeout(() => {
      const message = `no frame came for ${timeoutMs / 1000} seconds`;
      this.#onBroken(connection, new CapError('CAP_STREAM_UNAVAILABLE', message));
    }, timeoutMs);
  }

  #onFrame(connection: RtspConnection): void {
    if (connection !== this.#connection || this.#closed) return;
    if (!this.#connected) {
      this.#connected = this.#everConnected = true;
      this.#retryMs = FIRST_RETRY_MS;
      this.emit('connected');
    }
    this.#armStallTimer(connection, this.#options.stallTimeoutMs);
    const newest = this.framesSeen - 1;
    const ready = this.#waiters.filter((waiter) => newest > waiter.afterSequence);
    this.#waiters = this.#waiters.filter((waiter) => newest <= waiter.afterSequence);
    for (const waiter of ready) waiter.resolve();
  }

  #onBroken(connection: RtspConnection, cause: CapError): void {
    if (connection !== this.#connection || this.#closed) return;
    clearTimeout(this.#stallTimer);
    this.#sequenceBase = this.framesSeen;
    this.#connection = undefined;
    this.#connected = false;
    connection.close().catch((error: unknown) => this.#logger.debug('closing a broken connection failed', { error }));
    const code = FINAL.includes(cause.code) ? cause.code : 'CAP_STREAM_UNAVAILABLE';
    const error = new CapError(code, `${this.#name}: ${cause.message}`, {
      hint: cause.hint ?? 'check that the gateway runs and that the address and path are right',
      cause,
    });
    if (!this.#everConnected && !this.#mayRetryFirst(cause)) {
      this.#fail(error);
      return;
    }
    this.#retryTimer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#logger.debug('stream broke', { error: error.message, retryMs: this.#retryMs });
    this.emit('disconnected', error, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #mayRetryFirst(cause: CapError): boolean {
    if (FINAL.includes(cause.code)) return false;
    const waitedMs = performance.now() - this.#startedMs;
    return this.#options.retryFirstConnection && waitedMs + this.#retryMs <= this.#options.connectTimeoutMs;
  }

  #fail(error: CapError): void {
    this.#failure = error;
    this.#settle((waiter) => waiter.reject(error));
  }
}

/** What is in the address comes first. */
const withLogin = (address: RtspAddress, { user = '', password = '' }: SamplerOptions): RtspAddress =>
  address.user === '' ? { ...address, user, password } : address;

function toFrame(picture: NativePicture, sequenceBase: number): Frame {
  const { data, width, height, receivedMonotonicNs, receivedWallUs, sequence, seiPayload } = picture;
  const metadata = seiPayload && parseSeiPayload(seiPayload);
  return {
    data,
    width,
    height,
    receivedMonotonicNs,
    receivedWallUs,
    sequence: sequenceBase + sequence,
    ...(metadata ? { metadata } : {}),
  };
}
