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
    const { host, origin, 'sec-fetch-site': site, 'sec-fetch-dest': destination } = context.req.header();
    const headers = { host, origin, 'sec-fetch-site': site, 'sec-fetch-dest': destination };
    const refusal = refusalOf(headers, loopback, allowedOrigins);
    if (refusal) return context.text(refusal.text, refusal.status);
    if (origin !== undefined && allowedOrigins.includes(origin)) return share(context, next);
    context.header('Cross-Origin-Resource-Policy', 'same-origin');
    return next();
  };
}

/** Why a request with such headers does not pass; undefined when it does. */
export function refusalOf(
  headers: {
    readonly [name in 'host' | 'origin' | 'sec-fetch-site' | 'sec-fetch-dest']?: string | string[] | undefined;
  },
  loopback: boolean,
  allowedOrigins: readonly string[],
): { readonly status: 403 | 421; readonly text: string } | undefined {
  const { host = '', origin, 'sec-fetch-site': site, 'sec-fetch-dest': destination } = headers;
  if (!URL.canParse(`http://${host || 'none'}`) || (loopback && !LOOPBACK_HOST.test(String(host)))) {
    return { status: 421, text: 'unknown host' };
  }
  if (origin !== undefined && allowedOrigins.includes(String(origin))) return undefined;
  const own = origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
  // Pictures, scripts and frames of a page are asked for without an Origin. What a link leads to, its page cannot see.
  const seen = site === 'cross-site' && destination !== 'document';
  return own && !seen ? undefined : { status: 403, text: 'not for pages of other sites' };
}

const LOOPBACK_HOST = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/;
