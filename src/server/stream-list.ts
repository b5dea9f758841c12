import { Hono } from 'hono';
import type { StreamTable } from '../session/index.js';
import type { HttpDoor } from './http-door.js';

/** `GET /api/streams`: what is served, as JSON, for the viewer page and for programs. */
export function streamList(streams: StreamTable): HttpDoor {
  const routes = new Hono().get('/api/streams', (context) => {
    context.header('Cache-Control', 'no-store');
    return context.json(
      [...streams].map((served) => {
        const { path, label, stream } = served;
        return { path, label, ...stream.stats, readers: streams.readersOf(served) };
      }),
    );
  });
  return { routes, close: async () => {} };
}
