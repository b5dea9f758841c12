import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import type { StreamTable } from '../session/index.js';
import { type HttpDoor, maySee } from './http-door.js';
import type { WordsDoor } from './spoken-words.js';

/**
 * `GET /api/streams`: what is served, as JSON, for the viewer page and for programs. The headers have the server's time,
 * for whoever reckons the age of pictures by another clock, and a name that is another after each start.
 */
export function streamList(streams: StreamTable, words: WordsDoor): HttpDoor {
  const instance = randomUUID();
  const routes = new Hono().get('/api/streams', (context) => {
    context.header('Cache-Control', 'no-store');
    context.header('Cap-Instance', instance);
    context.header('Cap-Time', (performance.timeOrigin + performance.now()).toFixed(3));
    const mine = [...streams].filter(({ path }) => maySee(context.get('user'), path));
    return context.json(
      mine.map((served) => {
        const { path, label, stream, rate } = served;
        return {
          path,
          label,
          ...stream.stats,
          ...rate?.(),
          readers: streams.readersOf(served),
          words: words.wordsOf(path),
        };
      }),
    );
  });
  return { routes, close: async () => {} };
}
