import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { CapError, type Closable, once } from '../core/index.js';

/** Where metrics are served, and which: see captureMetrics and watchMetrics. */
export interface MetricsServerOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0 for a free one. */
  readonly port: number;
  readonly registry: Registry;
}

/** Serves until it is closed. */
export interface MetricsServer extends Closable, AsyncDisposable {
  readonly url: string;
}

/** Serves `GET /metrics` in Prometheus' text format. @throws CAP_PORT_UNAVAILABLE */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host = '127.0.0.1', port, registry } = options;
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' || path !== '/metrics') {
      response.writeHead(path === '/metrics' ? 405 : 404).end();
      return;
    }
    response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics());
  });
  server.maxHeadersCount = 64;
  server.requestTimeout = 5000;
  await listen(server, host, port);
  const close = once(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port: bound } = server.address() as AddressInfo;
  return { url: `http://${host}:${bound}/metrics`, close, [Symbol.asyncDispose]: close };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(`${host}:${port}`, cause)));
    server.listen(port, host, resolve);
  });
}

function listenError(address: string, cause: NodeJS.ErrnoException): CapError {
  const inUse = cause.code === 'EADDRINUSE';
  return new CapError(
    'CAP_PORT_UNAVAILABLE',
    `cannot serve metrics on ${address}: ${inUse ? 'the port is already in use' : cause.message}`,
    {
      hint: inUse
        ? 'choose another with --metrics-port, or 0 for a free one'
        : 'ports under 1024 need privileges, and the address must be one of this machine',
      cause,
    },
  );
}
