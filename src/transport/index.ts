export * from './choose-encoder.js';
export * from './encoder.js';
export * from './encoder-trial.js';
export * from './mp4-recorder.js';
export * from './received-stream.js';
export * from './rtsp-server.js';
export * from './shared-stream.js';
export * from './unit-sender.js';
