import { createServer } from 'node:http';
import type { Registry } from 'prom-client';
import { type Closable, once, urlHost } from '../core/index.js';
import { listen } from './listen.js';

/** Where metrics are served, and which: see captureMetrics and watchMetrics. */
export interface MetricsServerOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** 0 for a free one. */
  readonly port: number;
  readonly registry: Registry;
  /** Whether all that is to be served is served, and what is not. */
  readonly health?: (() => Promise<Health>) | undefined;
}

/** What `/readyz` says. */
export interface Health {
  readonly ready: boolean;
  readonly [detail: string]: unknown;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Serves until it is closed. */
export interface MetricsServer extends Closable, AsyncDisposable {
  readonly url: string;
}

/**
 * Serves `GET /metrics` in Prometheus' text format and, with `health`, `GET /healthz`, which says that the process
 * answers, and `GET /readyz`, 503 unless all is well. @throws CAP_PORT_UNAVAILABLE
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host = '127.0.0.1', port, registry, health } = options;
  const pages: Record<string, () => Promise<Page>> = {
    '/metrics': async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
  };
  if (health) {
    pages['/healthz'] = async () => ({ status: 200, type: 'text/plain', body: 'ok\n' });
    pages['/readyz'] = async () => {
      const { ready, ...detail } = await health();
      return { status: ready ? 200 : 503, type: 'application/json', body: `${JSON.stringify({ ready, ...detail })}\n` };
    };
  }
  const server = createServer(async (request, response) => {
    const page = pages[request.url?.split('?')[0] ?? ''];
    if (!page || request.method !== 'GET') return void response.writeHead(page ? 405 : 404).end();
    const { status, type, body } = await page();
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  server.maxHeadersCount = 64;
  server.requestTimeout = 5000;
  const bound = await listen(server, { host, port, what: 'metrics', option: '--metrics-port' });
  const close = once(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://${urlHost(host)}:${bound}/metrics`, close, [Symbol.asyncDispose]: close };
}
