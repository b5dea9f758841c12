export * from './gateway.js';
export type { MountOptions } from './gateway-mount.js';
