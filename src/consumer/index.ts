export * from './adaptor.js';
export { AnswerMemory } from './answer-memory.js';
export { Budget, type BudgetOptions, type BudgetStep } from './budget/budget.js';
export { type BudgetLimit, parseBudget } from './budget/budget-limit.js';
export { type DeltaRecord, withoutCaption } from './deltas/delta-text.js';
export type { DeltaOptions } from './deltas/delta-track.js';
export { profitsFromDeltas } from './deltas/profits.js';
export { describe } from './describe.js';
export { type FitOptions, type FittedImages, fitFrame } from './fit.js';
export { FleetAdaptor } from './fleet/fleet-adaptor.js';
export { FleetBudget } from './fleet/fleet-budget.js';
export { FleetClient } from './fleet/fleet-client.js';
export {
  FleetWorker,
  type FleetWorkerCounts,
  type FleetWorkerEvents,
  type FleetWorkerOptions,
  type WorkerModel,
} from './fleet/fleet-worker.js';
export { parseQueueAddress } from './fleet/queue-address.js';
export { RedisLink } from './fleet/redis-link.js';
export * from './frame-source.js';
export type { GateOptions } from './gate/frame-picker.js';
export { Ledger, type LedgerOptions } from './ledger/ledger.js';
export type { LedgerEntry } from './ledger/ledger-entry.js';
export { type LedgerContents, readLedger, readLedgerImage } from './ledger/read-ledger.js';
export { LedgerRecorder } from './ledger/recorder.js';
export { type FrameLegibility, PresetChooser, type PresetChooserOptions } from './legibility/preset-chooser.js';
export { AS_STREAMED, FULL_SIZE, GUNDAM, presetScaling, type Scaling } from './legibility/scaling.js';
export { type Answer, DEFAULT_PROMPT, type LookOptions, look, type SentImage } from './look.js';
export { type ImageLimits, type MediaType, type ModelProfile, type ModelVendor, profileOf } from './models.js';
export { openTextReader } from './ocr/process-reader.js';
export { type Price, priceOf } from './prices.js';
export { type AdaptorOptions, openAdaptor, PROVIDERS, type Provider } from './providers.js';
export { RequestQueue, type RequestQueueOptions } from './queue/request-queue.js';
export { readSchema } from './read-schema.js';
export type { Receipt, SendReason, SentImageRecord } from './receipt.js';
export { Sampler, type SamplerEvents, type SamplerOptions } from './sampler.js';
export { SecretFinder } from './secrets/secret-finder.js';
export { splitTextPatterns, TEXT_KINDS } from './secrets/text-patterns.js';
export type { ImageCost, ImageDetail, ImageFormula } from './tokens/formula.js';
export { Watch, type WatchEvents } from './watch.js';
export type { WatchCounts } from './watch-accounts.js';
export type { Gate, WatchOptions } from './watch-options.js';
