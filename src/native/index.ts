export * from './addon.js';
export { fromNative } from './failure.js';
export * from './pipeline.js';
export * from './x11.js';
