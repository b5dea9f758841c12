import type { Closable } from '../core/index.js';
import { type StreamTable, type WebRtcOptions, WebRtcPeers, type WebRtcStats } from '../session/index.js';
import type { HttpServerOptions } from './http-server.js';

/** Where the doors over HTTP are served, and for whom. */
export interface HttpOptions extends Omit<HttpServerOptions, 'doors'> {
  readonly webrtc?: Omit<WebRtcOptions, 'host'> | undefined;
}

/** The doors that have readers who stay. */
export const HTTP_READERS = ['webrtc', 'ts'] as const;

/** Counters since it was opened. */
export interface HttpStats {
  /** Wrong logins, and tries while blocked. */
  readonly failedLogins: number;
  readonly webrtc: WebRtcStats;
  readonly streams: readonly { readonly path: string; readonly readers: Readonly<Record<string, number>> }[];
}

/** What is served over HTTP, until it is closed. */
export interface OpenedHttp extends Closable, AsyncDisposable {
  /** `http://127.0.0.1:8889`, without a path: for a client on this machine. */
  readonly url: string;
  /** What anybody on the network can do that they perhaps should not; undefined when that is nothing. */
  readonly exposure: string | undefined;
  readonly stats: HttpStats;
}

/** Every HTTP door there is, on one server. @throws CAP_PORT_UNAVAILABLE, CAP_USAGE */
export async function openHttp(streams: StreamTable, options: HttpOptions = {}): Promise<OpenedHttp> {
  const { webrtc, ...where } = options;
  // Loaded only where it is asked for: a plain stream need not carry it.
  const [
    { HttpServer },
    { snapshotDoor },
    { wordsDoor },
    { streamList },
    { tsDoor },
    { viewerDoor },
    { whepDoor },
    signalling,
  ] = await Promise.all([
    import('./http-server.js'),
    import('./snapshot-door.js'),
    import('./spoken-words.js'),
    import('./stream-list.js'),
    import('./ts-door.js'),
    import('./viewer-door.js'),
    import('./whep-door.js'),
    import('./signalling-door.js'),
  ]);
  const peers = new WebRtcPeers({ ...webrtc, host: options.host });
  streams.countReaders('webrtc', ({ stream }) => peers.readersOf(stream));
  streams.reportReaders('webrtc', ({ stream, path }) => peers.reportsOf(stream, path));
  const words = wordsDoor(streams);
  const webrtcDoors = [whepDoor(streams, peers), signalling.signallingDoor(streams, peers)];
  const server = await HttpServer.open({
    ...where,
    doors: [viewerDoor(), streamList(streams, words), words, snapshotDoor(streams), tsDoor(streams), ...webrtcDoors],
  });
  const { url, exposure, close } = server;
  return {
    url,
    exposure,
    get stats() {
      return {
        failedLogins: server.failedLogins,
        webrtc: peers.stats,
        streams: [...streams].map((served) => ({ path: served.path, readers: streams.readersOf(served) })),
      };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
