import { type StreamTable, type WebRtcOptions, WebRtcPeers } from '../session/index.js';
import type { HttpServer, HttpServerOptions } from './http-server.js';

/** Where the doors over HTTP are served, and for whom. */
export interface HttpOptions extends Omit<HttpServerOptions, 'doors'> {
  readonly webrtc?: Omit<WebRtcOptions, 'host'> | undefined;
}

/** Every HTTP door there is, on one server. @throws CAP_PORT_UNAVAILABLE, CAP_USAGE */
export async function openHttp(streams: StreamTable, options: HttpOptions = {}): Promise<HttpServer> {
  const { webrtc, ...server } = options;
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
  const words = wordsDoor(streams);
  const webrtcDoors = [whepDoor(streams, peers), signalling.signallingDoor(streams, peers)];
  return HttpServer.open({
    ...server,
    doors: [viewerDoor(), streamList(streams, words), words, snapshotDoor(streams), tsDoor(streams), ...webrtcDoors],
  });
}
