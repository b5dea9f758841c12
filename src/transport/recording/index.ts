export { FileTemplate } from './file-template.js';
export * from './mp4-recorder.js';
export { checkRecording, type RecordOptions } from './record-options.js';
