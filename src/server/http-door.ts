import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Closable } from '../core/index.js';
import { mayRead, type RtspUser, type ServedStream, type StreamTable } from '../session/index.js';

/** A way for HTTP clients to a stream table: some routes, and what they keep open. */
export interface HttpDoor extends Closable {
  readonly routes: Hono;
  /** Takes a connection that is to become a WebSocket; false when it is for another door. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer, user: RtspUser | undefined): boolean;
}

declare module 'hono' {
  interface ContextVariableMap {
    /** Who has logged in; undefined where nobody need. */
    readonly user: RtspUser | undefined;
  }
}

/** Whether who asks may watch the stream at `path`. */
export const maySee = (user: RtspUser | undefined, path: string): boolean => user === undefined || mayRead(user, path);

/**
 * The stream at `path`, where there is one.
 * @throws HTTPException with 403 when it is not for who asks, whether there is one or not
 */
export function streamFor(context: Context, streams: StreamTable, path: string | undefined): ServedStream | undefined {
  if (path === undefined) return undefined;
  if (!maySee(context.get('user'), path)) throw new HTTPException(403, { message: 'not for this user\n' });
  return streams.get(path);
}
