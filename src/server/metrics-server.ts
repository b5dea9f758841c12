import { createServer } from 'node:http';
import type { Registry } from 'prom-client';
import { type Closable, once } from '../core/index.js';
import { listen } from './listen.js';

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
  const bound = await listen(server, { host, port, what: 'metrics', option: '--metrics-port' });
  const close = once(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://${host}:${bound}/metrics`, close, [Symbol.asyncDispose]: close };
}
