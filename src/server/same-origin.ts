import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

/**
 * Keeps other web sites out. A page from anywhere that is open in a browser on this machine can send requests to
 * 127.0.0.1, and make its own name resolve there: without this it could look at the screen.
 *
 * A request passes when it comes from no page, from a page of this server, or from an origin in `allowedOrigins`; and,
 * while the server is bound to a loopback address, when its Host header names one.
 */
export function sameOrigin(loopback: boolean, allowedOrigins: readonly string[]): MiddlewareHandler {
  const share = cors({ origin: [...allowedOrigins], exposeHeaders: ['*', 'Location', 'ETag', 'Link'] });
  return async (context, next) => {
    const host = context.req.header('host') ?? '';
    if (loopback && !LOOPBACK_HOST.test(host)) return context.text('unknown host', 421);
    const origin = context.req.header('origin');
    if (origin !== undefined && allowedOrigins.includes(origin)) return share(context, next);
    const own = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
    // Pictures and scripts of a page are asked for without an Origin.
    if (!own || context.req.header('sec-fetch-site') === 'cross-site') {
      return context.text('not for pages of other sites', 403);
    }
    context.header('Cross-Origin-Resource-Policy', 'same-origin');
    return next();
  };
}

const LOOPBACK_HOST = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/;
