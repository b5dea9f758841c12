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
  ENCODER_NAMES,
  type EncoderName,
  type EncoderOptions,
  type Mp4Recorder,
  QUALITY_CRF,
  type Quality,
  ReceivedStream,
  type RtspReader,
  RtspServer,
  type RtspServerOptions,
  SPEED_PRESETS,
  type SpeedPreset,
} from '../transport/index.js';
export * from './capture-session.js';
export * from './monitor-streams.js';
export type { CaptureSessionOptions } from './open-capture.js';
export * from './watch-session.js';
