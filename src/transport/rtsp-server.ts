import {
  CapError,
  type Closable,
  closedError,
  expectInteger,
  FewerLines,
  isLoopback,
  type Logger,
  once,
  ownAddresses,
  silentLogger,
  TypedEvents,
  toCapError,
  unexpected,
  urlHost,
} from '../core/index.js';
import { type NativeEvent, type NativeRtspServer, native, nativePromise, type RtspStats } from '../native/index.js';
import type { AudioTrack } from './audio-track.js';
import type { ReaderReport } from './reader-report.js';
import { REALM, type RtspUser } from './rtsp-users.js';
import type { AccessUnitStream } from './shared-stream.js';
import type { TlsIdentity } from './tls-identity.js';

/** Where the server listens, who may read, and what it bears with. */
export interface RtspServerOptions {
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** Port for RTSP without TLS, 0 for a free one. @default 8554, and none with `tls` */
  readonly port?: number | undefined;
  /** Serves RTSP over TLS: the media too, and always inside the connection. @default none */
  readonly tls?: RtspTlsOptions | undefined;
  /** Who may read, by Digest login: see `rtspUser` and `readUserFile`. @default everybody */
  readonly users?: readonly RtspUser[] | undefined;
  /** Readers at a time, 1 to 1000. @default 1000 */
  readonly maxReaders?: number | undefined;
  /** A TCP reader that takes nothing for this long is closed, 1000 to 600000. @default 10000 */
  readonly maxStallMs?: number | undefined;
  /** A UDP reader that says nothing for this long is forgotten, 10 to 3600. @default 60 */
  readonly sessionTimeoutSeconds?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** The certificate of an RTSPS port: see `readTlsIdentity` and `selfSignedIdentity`. */
export interface RtspTlsOptions extends TlsIdentity {
  /** Port for RTSPS, 0 for a free one. @default 8322 */
  readonly port?: number | undefined;
}

/** What holds for one mount alone. */
export interface RtspMountOptions {
  /** Its readers at a time, 1 to 1000. @default the server's */
  readonly maxReaders?: number | undefined;
  /** Channels of sound beside the video. @default none */
  readonly audio?: readonly AudioTrack[] | undefined;
}

/** A reader, as its events name it. */
export interface RtspReader {
  /** Counted from 1, for `kick`. */
  readonly id: number;
  readonly peer: string;
  /** Who has logged in. */
  readonly user?: string;
  readonly protocol: 'tcp' | 'udp' | 'tls';
  readonly path: string;
}

/** Who comes, who goes, and who does not keep up. */
export type RtspServerEvents = {
  readerJoined: [reader: RtspReader];
  readerLeft: [
    reader: RtspReader,
    reason: 'teardown' | 'disconnected' | 'timeout' | 'stalled' | 'kicked' | 'unmounted',
  ];
  /** There was no room for it. */
  readerRefused: [peer: string, reason: string];
  /** A name or password was wrong, or, `blocked`, one was too often. */
  loginFailed: [peer: string, blocked: boolean];
  /** The reader is too slow and gets nothing until it has caught up; it resumes at a key frame. */
  readerBehind: [reader: RtspReader];
  readerResumed: [reader: RtspReader];
  closed: [];
};

/** Access units that may wait before the RTSP media; beyond it whole GOPs are dropped. */
const MAX_WAITING_ACCESS_UNITS = 30;
/** As many sessions as the server has. */
const MAX_READERS = 1000;
const NO_PORT = -1;

/** An RTSP server whose mounts are fed from shared streams. It listens from construction on. */
export class RtspServer extends TypedEvents<RtspServerEvents> implements Closable {
  readonly host: string;
  readonly #hasUsers: boolean;
  readonly #native: NativeRtspServer;
  readonly #logger: Logger;
  readonly #refusals: FewerLines;
  #closed = false;

  /** @throws CAP_PORT_UNAVAILABLE, CAP_USAGE */
  constructor(options: RtspServerOptions = {}) {
    super();
    const { tls, users = [] } = options;
    this.host = options.host ?? '127.0.0.1';
    this.#hasUsers = users.length > 0;
    this.#logger = options.logger ?? silentLogger;
    this.#refusals = new FewerLines((line) => this.#logger.warn(line));
    const port = options.port ?? (tls ? NO_PORT : 8554);
    const settings = {
      host: this.host,
      port: port === NO_PORT ? port : expectInteger('the RTSP port', port, 0, 65535),
      tlsPort: tls ? expectInteger('the RTSPS port', tls.port ?? 8322, 0, 65535) : NO_PORT,
      tlsPem: tls ? `${tls.certificate}\n${tls.key}` : '',
      realm: REALM,
      users,
      maxReaders: limit(options.maxReaders),
      maxStallMs: expectInteger('maxStallMs', options.maxStallMs ?? 10_000, 1000, 600_000),
      sessionTimeoutS: expectInteger('sessionTimeoutSeconds', options.sessionTimeoutSeconds ?? 60, 10, 3600),
    };
    try {
      this.#native = native((addon) => new addon.RtspServer(settings, (event) => this.#dispatch(event)));
    } catch (error) {
      throw listenError(this.host, toCapError(error));
    }
  }

  /** The port without TLS or, where there is none, the one with it. */
  get port(): number {
    const { plain, tls } = this.#native.ports();
    return plain === NO_PORT ? tls : plain;
  }

  get tlsPort(): number | undefined {
    const { tls } = this.#native.ports();
    return tls === NO_PORT ? undefined : tls;
  }

  /** Whether only this machine can reach it. */
  get isLoopback(): boolean {
    return isLoopback(this.host);
  }

  /** What anybody on the network can do that they perhaps should not; undefined when that is nothing. */
  get exposure(): string | undefined {
    if (this.isLoopback) return undefined;
    if (!this.#hasUsers) return `${this.host} is open to the network and asks nobody for a password`;
    if (this.port === this.tlsPort) return undefined;
    return `${this.host} is open to the network, which can see the stream on its way: TLS would hide it`;
  }

  /** The address for a client on this machine or, when bound elsewhere, on that one. */
  url(path: string): string {
    return this.urls(path)[0] ?? '';
  }

  /** `url`, and beside it the one with TLS where both are served. */
  urls(path: string): string[] {
    const { plain, tls } = this.#native.ports();
    const at = (scheme: string, port: number): string[] =>
      port === NO_PORT ? [] : [`${scheme}://${urlHost(this.host)}:${port}${path}`];
    return [...at('rtsp', plain), ...at('rtsps', tls)];
  }

  /**
   * Serves `stream` at `path` (`/cap`), and each channel of sound as another stream of it. Resolves when a client can
   * play it, which takes a first frame.
   * @throws CAP_PIPELINE_FAILED when no frame comes in time
   */
  async mount(
    path: string,
    stream: AccessUnitStream,
    { maxReaders, audio = [] }: RtspMountOptions = {},
  ): Promise<void> {
    if (this.#closed) throw closedError('the RTSP server');
    if (!/^(\/[A-Za-z0-9._-]{1,64}){1,8}$/.test(path)) throw unexpected('the RTSP path', 'a path such as /cap', path);
    const channels = audio.map(({ stream: { native: hub }, ...channel }) => ({ hub, ...channel }));
    await nativePromise(this.#native.mount(path, stream.native, MAX_WAITING_ACCESS_UNITS, limit(maxReaders), channels));
  }

  /** Ends the mount and its readers. */
  async unmount(path: string): Promise<void> {
    if (!this.#closed) await nativePromise(this.#native.unmount(path));
  }

  /** Who plays now. */
  get readers(): RtspStats['readers'] {
    return this.stats.readers;
  }

  /** How the readers of a path fare. */
  readerReports(path: string): ReaderReport[] {
    const own = ownAddresses();
    return this.readers
      .filter((reader) => reader.path === path)
      .map(({ id, peer, protocol, sentBytes, backlogBytes, cutOffs, report }) => ({
        id: `rtsp ${this.port} ${id}`,
        path,
        isLocal: own.has(peer),
        drops: cutOffs,
        ...(protocol === 'udp' ? { rtcp: report } : { acknowledgedBytes: sentBytes, backlogBytes }),
      }));
  }

  /** Ends a reader's connection; whether there was one of that id. It may come again. */
  kick(id: number): boolean {
    return !this.#closed && this.#native.kick(id);
  }

  get stats(): RtspStats {
    return this.#native.stats();
  }

  /** Closes all readers and mounts and stops listening. Idempotent. */
  readonly close = once(async () => {
    this.#closed = true;
    this.#refusals.settle();
    await this.#native.close();
    this.emit('closed');
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #dispatch(event: NativeEvent): void {
    switch (event.type) {
      case 'login-failed':
      case 'login-blocked': {
        const blocked = event.type === 'login-blocked';
        this.#refusals.say(`${event.peer} ${blocked ? 'must wait after failed logins' : 'failed to log in'}`);
        this.emit('loginFailed', String(event.peer), blocked);
        return;
      }
      case 'reader-refused':
        this.#refusals.say(`${event.peer} is refused: ${String(event.reason).toLowerCase()}`);
        this.emit('readerRefused', String(event.peer), String(event.reason));
        return;
    }
    const { id, peer, protocol, path, user } = event;
    const reader = { id, peer, protocol, path, ...(user ? { user } : {}) } as RtspReader;
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

const limit = (maxReaders: number | undefined): number =>
  maxReaders === undefined ? 0 : expectInteger('maxReaders', maxReaders, 1, MAX_READERS);

function listenError(host: string, cause: CapError): CapError {
  const [, address = host, reason = cause.message] =
    /^Error binding to address ([^ ]*): (.*)$/.exec(cause.message) ?? [];
  return new CapError(cause.code, `cannot listen on ${address}: ${reason}`, {
    ...(cause.hint ? { hint: cause.hint } : {}),
    cause,
  });
}
