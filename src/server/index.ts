export * from './capture-metrics.js';
export * from './control-client.js';
export * from './control-server.js';
export * from './gateway-control.js';
export type { HttpServer, HttpServerOptions } from './http-server.js';
export * from './metrics-server.js';
export * from './once-per-scrape.js';
export * from './open-http.js';
export * from './watch-metrics.js';
