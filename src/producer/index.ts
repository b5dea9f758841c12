export * from './compose.js';
export * from './gundam-plan.js';
export * from './presets.js';
export * from './scale-plan.js';
export * from './screen-source.js';
export * from './sources.js';
export * from './test-source.js';
export * from './video-source.js';
