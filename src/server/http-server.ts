import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { type Closable, closeAll, isLoopback, type Logger, once, urlHost } from '../core/index.js';
import type { RtspUser, TlsIdentity } from '../session/index.js';
import type { HttpDoor } from './http-door.js';
import { HttpLogin, type LoginRefusal } from './http-login.js';
import { listen } from './listen.js';
import { refusalOf, sameOrigin } from './same-origin.js';

export interface HttpServerOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0 for a free one. @default 8889 */
  readonly port?: number | undefined;
  /** Web sites whose pages may use this server, besides its own: `https://example.org`. @default none */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Who may watch, by Basic login. @default everybody */
  readonly users?: readonly RtspUser[] | undefined;
  /** Serves HTTPS, and nothing without TLS. @default none */
  readonly tls?: TlsIdentity | undefined;
  readonly logger?: Logger | undefined;
  /** For an error: the option that names the port. @default '--http-port' */
  readonly portOption?: string | undefined;
  /** Closed with the server. */
  readonly doors: readonly HttpDoor[];
}

const MAX_HEADER_BYTES = 16 << 10;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 1000;

/** Serves the routes of its doors. */
export class HttpServer implements Closable {
  /** `http://127.0.0.1:8889`, without a path: for a client on this machine. */
  readonly url: string;
  /** What anybody on the network can do that they perhaps should not; undefined when that is nothing. */
  readonly exposure: string | undefined;
  readonly #server: Server;
  readonly #login: HttpLogin;
  readonly #doors: readonly HttpDoor[];

  private constructor(server: Server, url: string, login: HttpLogin, options: HttpServerOptions) {
    this.url = url;
    this.exposure = exposureOf(options);
    this.#server = server;
    this.#login = login;
    this.#doors = options.doors;
  }

  /** @throws CAP_PORT_UNAVAILABLE */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const { host = '127.0.0.1', port = 8889, allowedOrigins = [], portOption = '--http-port', tls, doors } = options;
    const login = new HttpLogin(options.users, options.logger);
    const app = new Hono();
    // In this order: a browser asks whether it may ask (CORS) without a login.
    app.use(sameOrigin(isLoopback(host), allowedOrigins), login.middleware());
    for (const door of doors) app.route('/', door.routes);
    const limits = { maxHeaderSize: MAX_HEADER_BYTES };
    const listener = getRequestListener(app.fetch);
    const server = tls
      ? createSecureServer({ ...limits, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' }, listener)
      : createServer(limits, listener);
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.maxConnections = MAX_CONNECTIONS;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const refusal = refusalOf(request.headers, isLoopback(host), allowedOrigins);
      if (refusal) return refuseUpgrade(socket, refusal.status);
      const answer = login.check(request);
      if ('status' in answer) return refuseUpgrade(socket, answer.status, answer);
      if (!doors.some((door) => door.upgrade?.(request, socket, head, answer.user))) refuseUpgrade(socket, 404);
    });
    const bound = await listen(server, { host, port, what: 'HTTP', option: portOption });
    return new HttpServer(server, `${tls ? 'https' : 'http'}://${urlHost(host)}:${bound}`, login, options);
  }

  /** Wrong logins, and tries while blocked. */
  get failedLogins(): number {
    return this.#login.failed;
  }

  /** Ends the doors' streams and every connection. Idempotent. */
  readonly close = once(async () => {
    await closeAll(this.#doors);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function exposureOf({ host = '127.0.0.1', users = [], tls }: HttpServerOptions): string | undefined {
  if (isLoopback(host)) return undefined;
  if (users.length === 0) return `HTTP at ${host} is open to the network and asks nobody for a password`;
  if (tls) return undefined;
  return `HTTP at ${host} is open to the network, which can see passwords and pictures on their way: TLS would hide them`;
}

function refuseUpgrade(socket: Duplex, status: number, { headers = {} }: Partial<LoginRefusal> = {}): void {
  const lines = Object.entries({ Connection: 'close', 'Content-Length': '0', ...headers });
  socket.on('error', () => {}); // it may be gone already
  // Nobody reads it any more, so nobody would see it end.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
}
