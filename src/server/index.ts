export * from './capture-metrics.js';
export * from './metrics-server.js';
export * from './watch-metrics.js';
