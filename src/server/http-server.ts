import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { type Closable, closeAll, isLoopback, once } from '../core/index.js';
import type { HttpDoor } from './http-door.js';
import { listen } from './listen.js';
import { refusalOf, sameOrigin } from './same-origin.js';

export interface HttpServerOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0 for a free one. @default 8889 */
  readonly port?: number | undefined;
  /** Web sites whose pages may use this server, besides its own: `https://example.org`. @default none */
  readonly allowedOrigins?: readonly string[] | undefined;
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
  readonly #doors: readonly HttpDoor[];

  private constructor(url: string, host: string, server: Server, doors: readonly HttpDoor[]) {
    this.url = url;
    this.exposure = isLoopback(host)
      ? undefined
      : `HTTP at ${host} is open to the network and asks nobody for a password`;
    this.#server = server;
    this.#doors = doors;
  }

  /** @throws CAP_PORT_UNAVAILABLE */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const { host = '127.0.0.1', port = 8889, allowedOrigins = [], doors } = options;
    const app = new Hono();
    app.use(sameOrigin(isLoopback(host), allowedOrigins));
    for (const door of doors) app.route('/', door.routes);
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, getRequestListener(app.fetch));
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    server.maxConnections = MAX_CONNECTIONS;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const refusal = refusalOf(request.headers, isLoopback(host), allowedOrigins);
      if (refusal) return refuseUpgrade(socket, refusal.status);
      if (!doors.some((door) => door.upgrade?.(request, socket, head))) refuseUpgrade(socket, 404);
    });
    const bound = await listen(server, { host, port, what: 'HTTP', option: '--http-port' });
    const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    return new HttpServer(
      `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${bound}`,
      host,
      server,
      doors,
    );
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

function refuseUpgrade(socket: Duplex, status: number): void {
  socket.on('error', () => {}); // it may be gone already
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
