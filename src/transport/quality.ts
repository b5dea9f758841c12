/** What a stream may cost: each field is a bound, and nothing is scaled up to it. */
export interface QualityBounds {
  /** Of the picture. @default the source's own */
  readonly heightPx?: number;
  /** Averaged over one second. */
  readonly maxBitrateKbps: number;
  readonly fps: number;
}

const SOURCE: QualityBounds = { maxBitrateKbps: 6000, fps: 30 };

/** The named levels of a stream; `auto` begins as `source` and follows what its readers report. */
export const QUALITY_LEVELS = {
  source: SOURCE,
  high: { heightPx: 1080, maxBitrateKbps: 4000, fps: 30 },
  medium: { heightPx: 720, maxBitrateKbps: 2500, fps: 30 },
  low: { heightPx: 480, maxBitrateKbps: 1000, fps: 30 },
  auto: SOURCE,
} as const satisfies Readonly<Record<string, QualityBounds>>;

/** A name of QUALITY_LEVELS. */
export type StreamQuality = keyof typeof QUALITY_LEVELS;

/** What bounds a stream's bits at present. */
export interface StreamRate {
  readonly maxBitrateKbps: number;
  readonly fps: number;
}

/** A stream is never made smaller than this, however little its readers get. */
export const LEAST_RATE: StreamRate = { maxBitrateKbps: 300, fps: 5 };
