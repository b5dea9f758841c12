import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { StreamTable } from '../session/index.js';
import { type HttpDoor, streamFor } from './http-door.js';

/** What a model said last about a stream. */
export interface SpokenWords {
  readonly text: string;
  /** For people: which model. */
  readonly by?: string | undefined;
  readonly ageMs: number;
}

export interface WordsDoor extends HttpDoor {
  wordsOf(path: string): SpokenWords | undefined;
}

const MAX_BODY_BYTES = 32 << 10;
const MAX_TEXT_CHARS = 4000;
const MAX_NAME_CHARS = 80;

/**
 * `POST /api/streams/<mount>/words` with `{"text": "…", "by": "…"}`: the words that the viewer page shows, of the model
 * that looks at the stream. From this machine alone, whatever the server's address.
 */
export function wordsDoor(streams: StreamTable): WordsDoor {
  const words = new Map<string, { text: string; by?: string | undefined; saidAt: number }>();
  const forget = ({ path }: { path: string }): void => {
    words.delete(path);
  };
  streams.on('removed', forget);
  const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (context) => context.text('too long', 413) });

  const routes = new Hono<{ Bindings: HttpBindings }>().post(
    '/api/streams/:mount{.+}/words',
    limit,
    async (context) => {
      const remote = context.env.incoming.socket.remoteAddress ?? '';
      if (!/^(::ffff:)?127\.|^::1$/.test(remote)) return context.text('from this machine alone', 403);
      const path = `/${context.req.param('mount')}`;
      if (!streamFor(context as unknown as Context, streams, path)) return context.text('no such stream', 404);
      const said: unknown = await context.req.json().catch(() => undefined);
      const { text, by } = (said ?? {}) as Record<string, unknown>;
      if (typeof text !== 'string' || (by !== undefined && typeof by !== 'string')) {
        return context.text('expected {"text": "…", "by": "…"}', 400);
      }
      words.set(path, {
        text: text.slice(0, MAX_TEXT_CHARS),
        by: by?.slice(0, MAX_NAME_CHARS),
        saidAt: performance.now(),
      });
      return context.body(null, 204);
    },
  );

  return {
    routes: routes as unknown as Hono,
    wordsOf(path) {
      const found = words.get(path);
      if (!found) return undefined;
      const { saidAt, ...said } = found;
      return { ...said, ageMs: performance.now() - saidAt };
    },
    close: async () => {
      streams.off('removed', forget);
    },
  };
}
