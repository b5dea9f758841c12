import {
  CapError,
  type Closable,
  closedError,
  expectInteger,
  type Logger,
  once,
  silentLogger,
  TypedEvents,
  toCapError,
  unexpected,
} from '../core/index.js';
import { type NativeEvent, type NativeRtspServer, native, nativePromise, type RtspStats } from '../native/index.js';
import type { AccessUnitStream } from './shared-stream.js';

/** Where the server listens, and what it bears with. */
export interface RtspServerOptions {
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** TCP port, 0 for a free one. @default 8554 */
  readonly port?: number | undefined;
  /** A TCP reader that takes nothing for this long is closed, 1000 to 600000. @default 10000 */
  readonly maxStallMs?: number | undefined;
  /** A UDP reader that says nothing for this long is forgotten, 10 to 3600. @default 60 */
  readonly sessionTimeoutSeconds?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** A reader, as its events name it. */
export interface RtspReader {
  readonly peer: string;
  readonly protocol: 'tcp' | 'udp';
  readonly path: string;
}

/** Who comes, who goes, and who does not keep up. */
export type RtspServerEvents = {
  readerJoined: [reader: RtspReader];
  readerLeft: [reader: RtspReader, reason: 'teardown' | 'disconnected' | 'timeout' | 'stalled'];
  /** The reader is too slow and gets nothing until it has caught up; it resumes at a key frame. */
  readerBehind: [reader: RtspReader];
  readerResumed: [reader: RtspReader];
};

/** Access units that may wait before the RTSP media; beyond it whole GOPs are dropped. */
const MAX_WAITING_ACCESS_UNITS = 30;

/** An RTSP server whose mounts are fed from shared streams. It listens from construction on. */
export class RtspServer extends TypedEvents<RtspServerEvents> implements Closable {
  readonly host: string;
  readonly #native: NativeRtspServer;
  readonly #logger: Logger;
  #closed = false;

  /** @throws CAP_PORT_UNAVAILABLE, CAP_USAGE */
  constructor(options: RtspServerOptions = {}) {
    super();
    this.host = options.host ?? '127.0.0.1';
    this.#logger = options.logger ?? silentLogger;
    const settings = {
      host: this.host,
      port: expectInteger('the RTSP port', options.port ?? 8554, 0, 65535),
      maxStallMs: expectInteger('maxStallMs', options.maxStallMs ?? 10_000, 1000, 600_000),
      sessionTimeoutS: expectInteger('sessionTimeoutSeconds', options.sessionTimeoutSeconds ?? 60, 10, 3600),
    };
    try {
      this.#native = native((addon) => new addon.RtspServer(settings, (event) => this.#dispatch(event)));
    } catch (error) {
      throw listenError(`${this.host}:${settings.port}`, toCapError(error));
    }
  }

  get port(): number {
    return this.#native.port();
  }

  /** Whether only this machine can reach it. */
  get isLoopback(): boolean {
    return /^(127\.|::1$|localhost$)/.test(this.host);
  }

  /** The address for a client on this machine or, when bound elsewhere, on that one. */
  url(path: string): string {
    const host = this.host === '0.0.0.0' || this.host === '::' ? '127.0.0.1' : this.host;
    return `rtsp://${host.includes(':') ? `[${host}]` : host}:${this.port}${path}`;
  }

  /**
   * Serves `stream` at `path` (`/cap`). Resolves when a client can play it, which takes a first frame.
   * @throws CAP_PIPELINE_FAILED when no frame comes in time
   */
  async mount(path: string, stream: AccessUnitStream): Promise<void> {
    if (this.#closed) throw closedError('the RTSP server');
    if (!/^(\/[A-Za-z0-9._-]{1,64}){1,8}$/.test(path)) throw unexpected('the RTSP path', 'a path such as /cap', path);
    await nativePromise(this.#native.mount(path, stream.native, MAX_WAITING_ACCESS_UNITS));
  }

  /** Ends the mount and its readers. */
  async unmount(path: string): Promise<void> {
    if (!this.#closed) await nativePromise(this.#native.unmount(path));
  }

  get stats(): RtspStats {
    return this.#native.stats();
  }

  /** Closes all readers and mounts and stops listening. Idempotent. */
  readonly close = once(async () => {
    this.#closed = true;
    await this.#native.close();
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #dispatch(event: NativeEvent): void {
    const reader = { peer: event.peer, protocol: event.protocol, path: event.path } as RtspReader;
    switch (event.type) {
      case 'reader-joined':
        this.#logger.debug('reader joined', { ...reader });
        this.emit('readerJoined', reader);
        break;
      case 'reader-left':
        this.#logger.debug('reader left', { ...reader, reason: event.reason });
        this.emit('readerLeft', reader, event.reason as RtspServerEvents['readerLeft'][1]);
        break;
      case 'reader-behind':
        this.#logger.warn('reader is too slow and loses frames', { ...reader });
        this.emit('readerBehind', reader);
        break;
      case 'reader-resumed':
        this.emit('readerResumed', reader);
        break;
      case 'reader-dropped':
        this.#logger.warn('reader takes nothing and is closed', { ...reader });
        break;
    }
  }
}

function listenError(address: string, cause: CapError): CapError {
  const reason = cause.message.replace(/^Error binding to address [^ ]*: /, '');
  return new CapError(cause.code, `cannot listen on ${address}: ${reason}`, {
    ...(cause.hint ? { hint: cause.hint } : {}),
    cause,
  });
}
