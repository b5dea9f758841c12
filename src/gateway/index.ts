export * from './gateway.js';
export * from './gateway-metrics.js';
export type { MountOptions } from './gateway-mount.js';
