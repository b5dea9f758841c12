import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Hono } from 'hono';
import type { Closable } from '../core/index.js';

/** A way for HTTP clients to a stream table: some routes, and what they keep open. */
export interface HttpDoor extends Closable {
  readonly routes: Hono;
  /** Takes a connection that is to become a WebSocket; false when it is for another door. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}
