import { closeAll, expectInteger, type Logger, unexpected } from '../core/index.js';
import {
  Capture,
  checkRedaction,
  openSource,
  type RedactionOptions,
  type ScalingOptions,
  type SourceOptions,
} from '../producer/index.js';
import {
  chooseEncoder,
  type EncoderOptions,
  encoderSettings,
  QUALITY_LEVELS,
  type QualityBounds,
  type StreamQuality,
} from '../transport/index.js';
import type { RateAdaptation } from './rate-adaptation.js';
import type { AudioOptions } from './session-audio.js';
import { SessionRate } from './session-rate.js';
import { TextRedaction } from './text-redaction.js';

/** What is captured, how it is scaled and how it is encoded. */
export interface CaptureSessionOptions {
  /** What to capture; `parseSource` reads a URL. @default { kind: 'screen' } */
  readonly source?: SourceOptions | undefined;
  /**
   * How it is scaled. @default full size
   *
   * The H.264 of an RTSP source is passed on as it is when neither this nor `encoder`, `fps` or `quality` asks for
   * anything.
   */
  readonly scaling?: ScalingOptions | undefined;
  readonly encoder?: EncoderOptions | undefined;
  /** What is masked before anything else sees the picture; an RTSP source is then encoded anew. @default nothing */
  readonly redaction?: RedactionOptions | undefined;
  /**
   * Bounds height, bitrate and frame rate together (QUALITY_LEVELS); `scaling`, `encoder.maxBitrateKbps` and `fps` take
   * the place of what it says of them. `auto` also adapts bitrate and frame rate to what readers report.
   * @default no bound but that of H.264, at 30 frames a second
   */
  readonly quality?: StreamQuality | undefined;
  /** With the quality `auto`: what several captures share, as their readers share a network. @default one of its own */
  readonly adaptation?: RateAdaptation | undefined;
  /** Which sound goes with it. @default none */
  readonly audio?: AudioOptions | undefined;
  /** Frames a second, 1 to 120. @default 30 */
  readonly fps?: number | undefined;
  /**
   * Nothing is captured or encoded while nobody watches: no reader plays, nothing is recorded. @default false
   */
  readonly onDemand?: boolean | undefined;
  /** With `onDemand`, how long capture goes on after the last one has gone, 0 to 3600000. @default 5000 */
  readonly lingerMs?: number | undefined;
  readonly logger?: Logger | undefined;
  /** Ends the opening of a source that waits for its user. */
  readonly signal?: AbortSignal | undefined;
}

/** A capture that does not run yet, and what bounds its bits. */
export interface OpenedCapture {
  readonly capture: Capture;
  /** Where text is masked. Closed before the capture. */
  readonly texts: TextRedaction | undefined;
  readonly rate: SessionRate;
}

/**
 * Opens the source and builds its capture with the encoder that suits it; nothing runs yet.
 * @throws as CaptureSession.open does
 */
export async function openCapture(options: CaptureSessionOptions, logger: Logger): Promise<OpenedCapture> {
  const { quality, redaction = {} } = options;
  const { encoder, scaling, fps: most } = withinQuality(options);
  const fps = expectInteger('fps', most ?? 30, 1, 120);
  const isPlain = options.fps === undefined && quality === undefined && !asksFor(scaling) && !asksFor(encoder);
  const asItIs = isPlain && !checkRedaction(redaction);
  const texts = redaction.texts?.length ? await TextRedaction.open(redaction.texts, logger) : undefined;
  const source = await openSource(options.source ?? { kind: 'screen' }, {
    fps,
    asItIs,
    logger,
    signal: options.signal,
  });
  try {
    const { coded = false, tellsDamage = false } = source;
    const fragment = coded
      ? undefined
      : await chooseEncoder(encoder, { fps, tellsDamage, adapts: quality === 'auto', logger });
    const { maxBitrateKbps } = encoderSettings(encoder, fps);
    const capture = new Capture({ source, scaling, encoder: fragment, fps, redaction, logger });
    if (capture.redactor) texts?.start(capture.redactor);
    return { capture, texts, rate: new SessionRate(capture, coded ? undefined : { fps, maxBitrateKbps }, quality) };
  } catch (error) {
    await closeAll([texts, { close: async () => source.close?.() }]);
    throw error;
  }
}

/** What was asked for, and for the rest what the quality says. */
function withinQuality({ quality, scaling = {}, encoder = {}, fps }: CaptureSessionOptions) {
  if (quality === undefined) return { scaling, encoder, fps };
  if (!Object.hasOwn(QUALITY_LEVELS, quality)) {
    throw unexpected('the quality', `one of ${Object.keys(QUALITY_LEVELS).join(', ')}`, quality);
  }
  const level: QualityBounds = QUALITY_LEVELS[quality];
  return {
    scaling: asksFor(scaling) ? scaling : { maxHeightPx: level.heightPx },
    encoder: { ...encoder, maxBitrateKbps: encoder.maxBitrateKbps ?? level.maxBitrateKbps },
    fps: fps ?? level.fps,
  };
}

/** Whether any option is given. */
const asksFor = (options: object): boolean =>
  Object.values(options).some((value) => value !== undefined && value !== false);
