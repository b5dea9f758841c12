import type { StreamTable } from '../session/index.js';
import type { HttpServer, HttpServerOptions } from './http-server.js';

/** Every HTTP door there is, on one server. @throws CAP_PORT_UNAVAILABLE */
export async function openHttp(
  streams: StreamTable,
  options: Omit<HttpServerOptions, 'doors'> = {},
): Promise<HttpServer> {
  // Loaded only where it is asked for: a plain stream need not carry it.
  const [{ HttpServer }, { snapshotDoor }, { streamList }, { tsDoor }] = await Promise.all([
    import('./http-server.js'),
    import('./snapshot-door.js'),
    import('./stream-list.js'),
    import('./ts-door.js'),
  ]);
  return HttpServer.open({ ...options, doors: [streamList(streams), snapshotDoor(streams), tsDoor(streams)] });
}
