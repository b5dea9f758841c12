export * from './core/index.js';
export { CaptureSession } from './session/capture-session.js';
