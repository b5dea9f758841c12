import type { Hono } from 'hono';
import type { Closable } from '../core/index.js';

/** A way for HTTP clients to a stream table: some routes, and what they keep open. */
export interface HttpDoor extends Closable {
  readonly routes: Hono;
}
