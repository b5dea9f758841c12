export * from './gateway.js';
export type { MountOptions } from './gateway-mount.js';
export type { HttpOptions } from './worker-calls.js';
