import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Context, Hono } from 'hono';
import type { HttpDoor } from './http-door.js';

const FOLDER = new URL('../../viewer/', import.meta.url);
const SCRIPTS = ['main', 'tile', 'video', 'stills', 'whep', 'server-clock', 'capture-clock', 'capture-times', 'sei'];
const FILES: Readonly<Record<string, string>> = {
  'viewer.css': 'text/css; charset=utf-8',
  ...Object.fromEntries(SCRIPTS.map((name) => [`${name}.js`, 'text/javascript; charset=utf-8'])),
};
/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "worker-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /`: the page that plays every stream. */
export function viewerDoor(): HttpDoor {
  const send = (context: Context, name: string, type: string): Response =>
    context.body(readFileSync(fileURLToPath(new URL(name, FOLDER))), 200, {
      'Content-Type': type,
      'Content-Security-Policy': POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    });
  const routes = new Hono()
    .get('/', (context) => send(context, 'index.html', 'text/html; charset=utf-8'))
    .get('/viewer/:file', (context) => {
      const type = FILES[context.req.param('file')];
      return type === undefined ? context.notFound() : send(context, context.req.param('file'), type);
    });
  return { routes, close: async () => {} };
}
