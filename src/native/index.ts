export * from './addon.js';
export * from './devices.js';
export * from './pipeline.js';
export * from './rtsp-address.js';
export * from './tls-trust.js';
export * from './wayland.js';
export * from './x11.js';
export * from './x11-pick.js';
