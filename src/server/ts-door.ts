import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { closeAll, once, ownAddresses, toCapError } from '../core/index.js';
import { type ServedStream, type StreamTable, TsFeed } from '../session/index.js';
import { type HttpDoor, streamFor } from './http-door.js';

export interface TsDoorOptions {
  /** Each has a pipeline of its own, with two threads. @default 32 */
  readonly maxReaders?: number;
  /** A reader that takes nothing for so long is gone, or of no use. @default 10000 */
  readonly maxStallMs?: number;
}

/** `GET /ts/<mount>.ts`: the stream as an MPEG transport stream, without an end. */
export function tsDoor(streams: StreamTable, options: TsDoorOptions = {}): HttpDoor {
  const { maxReaders = 32, maxStallMs = 10_000 } = options;
  const feeds = new Map<TsFeed, ServedStream>();
  let opening = 0;
  const remove = (removed: ServedStream): void => {
    for (const [feed, served] of feeds) if (served === removed) void feed.close();
  };
  streams.on('removed', remove);
  streams.countReaders('ts', (served) => [...feeds.values()].filter((read) => read === served).length);
  const ids = new WeakMap<TsFeed, number>();
  const addresses = new WeakMap<TsFeed, string>();
  let lastId = 0;
  streams.reportReaders('ts', (served) => {
    const own = ownAddresses();
    return [...feeds].flatMap(([feed, read]) => {
      const { sentBytes, dropped } = feed.stats;
      const isLocal = own.has(addresses.get(feed) ?? '');
      if (read !== served) return [];
      return { id: `ts ${ids.get(feed)}`, path: served.path, isLocal, acknowledgedBytes: sentBytes, drops: dropped };
    });
  });

  const routes = new Hono().get('/ts/*', async (context) => {
    context.header('Cache-Control', 'no-store');
    const [, mount] = /^\/ts(\/.+)\.ts$/.exec(context.req.path) ?? [];
    const served = streamFor(context, streams, mount);
    if (!served) return context.text('no such stream; ask for /ts/<mount>.ts\n', 404);
    const headers = { 'Content-Type': 'video/mp2t' };
    const { incoming, outgoing } = context.env as HttpBindings;
    if (incoming.method === 'HEAD') return context.body(null, 200, headers);
    if (feeds.size + opening >= maxReaders) {
      context.header('Retry-After', '10');
      return context.text(`${maxReaders} readers are served, and that is all there is room for\n`, 503);
    }
    opening += 1;
    try {
      const feed = await TsFeed.open(served.stream);
      feeds.set(feed, served);
      lastId += 1;
      ids.set(feed, lastId);
      addresses.set(feed, incoming.socket.remoteAddress ?? '');
      const leave = once(async () => {
        feeds.delete(feed);
        await feed.close();
      });
      outgoing.once('close', leave);
      // Gone while it was opened.
      if (outgoing.destroyed || streams.get(served.path) !== served) await leave();
      const drop = (): void => {
        outgoing.destroy();
      };
      return context.body(bodyOf(feed, maxStallMs, drop), 200, headers);
    } catch (error) {
      return context.text(`${toCapError(error).message}\n`, 503);
    } finally {
      opening -= 1;
    }
  });
  const close = once(async () => {
    streams.off('removed', remove);
    await closeAll([...feeds.keys()]);
  });
  return { routes, close };
}

/** As fast as the reader takes it: what it does not take is dropped before it is multiplexed. */
function bodyOf(feed: TsFeed, maxStallMs: number, drop: () => void): ReadableStream<Uint8Array> {
  let stalled: NodeJS.Timeout | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(stalled);
        const bytes = await feed.read();
        if (!bytes) return controller.close();
        controller.enqueue(bytes);
        stalled = setTimeout(drop, maxStallMs);
      },
      cancel() {
        clearTimeout(stalled);
      },
    },
    { highWaterMark: 0 },
  );
}
