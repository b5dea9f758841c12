// The library, by what one does with it. Only what stands here is public: a test holds the list.

// --- Capture a source once, encode it once, and open doors to it ---

export type { SharedKind } from './native/portal.js';
export type { AudioRow } from './producer/audio-list.js';
export type { AudioChannels } from './producer/audio-source.js';
export type { ScalingOptions } from './producer/compose.js';
export type { DisplayChoice, DisplayServer, ScreenServer } from './producer/display-server.js';
export type { FileOptions } from './producer/file-source.js';
export type { RedactionOptions } from './producer/redaction.js';
export { repairSound, type SoundRepair } from './producer/repair-sound.js';
export type { RtspOptions } from './producer/rtsp-source.js';
export type { MonitorRow, WindowRow } from './producer/screen-list.js';
export type { ScreenOptions } from './producer/screen-source.js';
export { type CameraRow, listSources, type SourceList } from './producer/source-list.js';
export { parseSource } from './producer/source-url.js';
export { SOURCE_KINDS, type SourceOptions } from './producer/sources.js';
export type { TestOptions, TestPattern } from './producer/test-source.js';
export type { V4l2Options } from './producer/v4l2-source.js';
export {
  CaptureSession,
  type CaptureSessionEvents,
  type CaptureStats,
} from './session/capture-session.js';
export {
  type Diagnosis,
  type DoctorOptions,
  diagnose,
  type Finding,
} from './session/doctor.js';
export {
  type MonitorStream,
  MonitorStreams,
  type MonitorStreamsEvents,
  type MonitorStreamsOptions,
} from './session/monitor-streams.js';
export type { CaptureSessionOptions } from './session/open-capture.js';
export {
  type AdaptedStream,
  RateAdaptation,
  type RateAdaptationEvents,
  type RateAdaptationOptions,
  type RateStep,
  type ReaderReports,
} from './session/rate-adaptation.js';
export type { AudioOptions, AudioStats } from './session/session-audio.js';
export type { RedactionStats } from './session/text-redaction.js';
export { AUDIO_CODECS, type AudioCodec } from './transport/audio-encoder.js';
export type { AudioTrack } from './transport/audio-track.js';
export {
  ENCODER_NAMES,
  type EncoderName,
  type EncoderOptions,
  QUALITY_CRF,
  type Quality,
  SPEED_PRESETS,
  type SpeedPreset,
} from './transport/encoder.js';
export type { PublishSecrets } from './transport/publish-target.js';
export type { Publisher, PublisherEvents, PublisherStats } from './transport/publisher.js';
export { QUALITY_LEVELS, type StreamQuality, type StreamRate } from './transport/quality.js';
export type { ReaderReport } from './transport/reader-report.js';
export type { Mp4Recorder, Mp4RecorderEvents, Mp4RecorderStats } from './transport/recording/mp4-recorder.js';
export type { RecordOptions } from './transport/recording/record-options.js';
export {
  type RtspMountOptions,
  type RtspReader,
  RtspServer,
  type RtspServerEvents,
  type RtspServerOptions,
  type RtspTlsOptions,
} from './transport/rtsp-server.js';
export { readUserFile } from './transport/rtsp-user-file.js';
export { type RtspUser, rtspUser } from './transport/rtsp-users.js';
export { selfSignedIdentity } from './transport/self-signed.js';
export type { SharedStream } from './transport/shared-stream.js';
export { fingerprintOf, readTlsIdentity, type TlsIdentity } from './transport/tls-identity.js';

// --- Have a model look at a stream, once or again and again ---

export {
  BUDGET_STEPS,
  Budget,
  type BudgetOptions,
  type BudgetStep,
} from './consumer/budget/budget.js';
export { type BudgetLimit, parseBudget } from './consumer/budget/budget-limit.js';
export type { DeltaRecord } from './consumer/deltas/delta-text.js';
export type { DeltaOptions } from './consumer/deltas/delta-track.js';
export type { ChangeGateOptions } from './consumer/gate/change-gate.js';
export type { GateOptions } from './consumer/gate/frame-picker.js';
export type { Legibility, RegionLegibility } from './consumer/legibility/legibility.js';
export type { FrameLegibility, PresetChooser } from './consumer/legibility/preset-chooser.js';
export type { Scaling } from './consumer/legibility/scaling.js';
export { type Answer, DEFAULT_PROMPT, type LookOptions, look, type SentImage } from './consumer/look.js';
export { RequestQueue, type RequestQueueOptions } from './consumer/queue/request-queue.js';
export type { Receipt, SendReason, SentImageRecord } from './consumer/receipt.js';
export { Watch, type WatchEvents } from './consumer/watch.js';
export type { WatchCounts } from './consumer/watch-accounts.js';
export type { Gate, WatchOptions } from './consumer/watch-options.js';
export type { PictureOptions } from './session/picture.js';
export {
  type DescribeOptions,
  describeStream,
  type ModelOptions,
  WatchSession,
  type WatchSessionOptions,
} from './session/watch-session.js';

// --- Keep what models were asked, and ask again ---

export type { LedgerOptions } from './consumer/ledger/ledger.js';
export type { LedgerEntry } from './consumer/ledger/ledger-entry.js';
export { type LedgerContents, readLedger } from './consumer/ledger/read-ledger.js';
export { type Replayed, type ReplayedAnswer, type ReplayOptions, replay } from './session/replay.js';

// --- Take frames out of a stream, with the metadata that travels in it ---

export { frameAgeMs } from './consumer/frame-age.js';
export type { FrameSource, NextFrameOptions } from './consumer/frame-source.js';
export { Sampler, type SamplerEvents, type SamplerOptions } from './consumer/sampler.js';
export type { Frame, FrameMetadata } from './core/frame.js';
export { parseSeiPayload } from './core/sei-payload.js';
export type { TlsTrust } from './native/tls-trust.js';

// --- Providers, and what it takes to write an adaptor ---

export {
  type Adaptor,
  type AdaptorAnswer,
  type AdaptorRequest,
  type AnswerSchema,
  DEFAULT_MAX_OUTPUT_TOKENS,
  type EncodedImage,
  type Exchange,
  type TextLine,
  type TokenUsage,
} from './consumer/adaptor.js';
export { AnswerMemory } from './consumer/answer-memory.js';
export { type FitOptions, type FittedImages, fitFrame } from './consumer/fit.js';
export { type AdaptorOptions, openAdaptor, PROVIDERS, type Provider } from './consumer/providers.js';

// --- Many sources behind one server, each in a process of its own ---

export {
  Gateway,
  type GatewayEvents,
  type GatewayOptions,
  type GatewayStatus,
  type MountOptions,
  type MountStatus,
} from './gateway/index.js';

// --- What a model accepts, and what an image costs ---

export {
  type ImageLimits,
  type MediaType,
  MODELS,
  type ModelProfile,
  type ModelVendor,
  profileOf,
} from './consumer/models.js';
export { costUsd, PRICES, type Price, type PriceRow, priceOf } from './consumer/prices.js';
export {
  type AnthropicTier,
  anthropicPatches,
  HIGH_TIER as ANTHROPIC_HIGH_TIER,
  STANDARD_TIER as ANTHROPIC_STANDARD_TIER,
} from './consumer/tokens/anthropic.js';
export { deepSeekOcr2, deepSeekOcrGundam } from './consumer/tokens/deepseek-ocr.js';
export type { ImageCost, ImageDetail, ImageFormula } from './consumer/tokens/formula.js';
export { geminiBudget, geminiTiles } from './consumer/tokens/gemini.js';
export { internVlTiles } from './consumer/tokens/internvl.js';
export { llama4Tiles, llama32Tiles } from './consumer/tokens/llama.js';
export { openAiPatches, openAiTiles } from './consumer/tokens/openai.js';
export { pixtralPatches } from './consumer/tokens/pixtral.js';
export { type QwenGrid, qwenCells } from './consumer/tokens/qwen.js';

// --- Presets and Gundam views: what a source is scaled to ---

export { type GundamGrid, type GundamGridOptions, gundamGrid } from './core/gundam-grid.js';
export type { GundamLayout } from './core/gundam-layout.js';
export { gundamPlan } from './producer/gundam-plan.js';
export { builtInPresets, loadPreset, type Preset, userPresetFolder, userPresets } from './producer/presets.js';
export {
  presetPlan,
  type ScaleOptions,
  type ScalePlan,
  type ScaleView,
  scaledSize,
  sourcePlan,
} from './producer/scale-plan.js';
export { type GundamTable, gundamTable } from './session/gundam-table.js';
export { DEFAULT_TOKEN_MODEL, type PresetRow, type PresetTableOptions, presetTable } from './session/preset-table.js';

// --- Metrics for Prometheus ---

export { captureMetrics, monitorMetrics } from './server/capture-metrics.js';
export { type MetricsServer, type MetricsServerOptions, startMetricsServer } from './server/metrics-server.js';
export { watchMetrics } from './server/watch-metrics.js';

// --- What all of it shares: errors, events, log, geometry ---

export type { Closable } from './core/closing.js';
export { CapError, type CapErrorOptions, ERROR_CODES, type ErrorCode } from './core/errors.js';
export { type EventMap, TypedEvents } from './core/events.js';
export { formatRegion, formatSize, parseRegion, parseSize, type Rect, type Size } from './core/geometry.js';
export {
  createStreamLogger,
  type Logger,
  type LogLevel,
  type StreamLoggerOptions,
  silentLogger,
} from './core/logger.js';
export { redact, registerSecret } from './core/redact.js';
