export {
  type AdaptorOptions,
  type Answer,
  DEFAULT_PROMPT,
  PROVIDERS,
  type Provider,
  type SamplerOptions,
  type WatchCounts,
  type WatchOptions,
} from '../consumer/index.js';
export {
  type AudioRow,
  type CameraRow,
  DISPLAY_SERVERS,
  type DisplayServer,
  listSources,
  listWindows,
  type MonitorRow,
  parseSource,
  type ScalePlan,
  type ScalingOptions,
  SOURCE_FORMS,
  type SourceList,
  type SourceOptions,
  scalePlanner,
  type WindowRow,
} from '../producer/index.js';
export {
  addUser,
  ENCODER_NAMES,
  type EncoderName,
  type EncoderOptions,
  fingerprintOf,
  type Mp4Recorder,
  parseLogin,
  QUALITY_CRF,
  type Quality,
  ReceivedStream,
  type RtspReader,
  RtspServer,
  type RtspServerOptions,
  type RtspTlsOptions,
  type RtspUser,
  readTlsIdentity,
  readUserFile,
  removeUser,
  rtspUser,
  SPEED_PRESETS,
  type SpeedPreset,
  selfSignedIdentity,
} from '../transport/index.js';
export * from './capture-session.js';
export * from './monitor-streams.js';
export type { CaptureSessionOptions } from './open-capture.js';
export * from './stream-table.js';
export * from './watch-session.js';
