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
export { type ScalePlan, type ScalingOptions, SOURCE_KINDS, type SourceOptions } from '../producer/index.js';
export {
  type EncoderOptions,
  type Mp4Recorder,
  QUALITY_CRF,
  type Quality,
  type RtspReader,
  type RtspServer,
  type RtspServerOptions,
  SPEED_PRESETS,
  type SpeedPreset,
} from '../transport/index.js';
export * from './capture-session.js';
export * from './watch-session.js';
