import {
  CapError,
  type Closable,
  closeAll,
  formatRegion,
  formatSize,
  type Logger,
  once,
  type Size,
  TypedEvents,
  toCapError,
} from '../core/index.js';
import { type ElementProperties, native, Pipeline, Redactor } from '../native/index.js';
import { type ScalingOptions, scalePlanner, toNativePlan } from './compose.js';
import { checkRedaction, type RedactionOptions } from './redaction.js';
import type { ScalePlan } from './scale-plan.js';
import type { SourceListener, SourceWatch, VideoSource } from './video-source.js';

/** What codes the pictures. */
export interface CaptureEncoder {
  readonly launch: string;
  readonly properties: ElementProperties;
  /** The properties of the element `encoder` for another bitrate while it runs; absent where it has none. */
  readonly liveBitrate?: (maxBitrateKbps: number) => Readonly<Record<string, string>>;
}

export interface CaptureSettings {
  /** Closed with the capture. */
  readonly source: VideoSource;
  readonly scaling: ScalingOptions;
  /** Frames a second. */
  readonly fps: number;
  /** GStreamer fragment from I420 to what the appsink `units` gets; undefined for a coded source. */
  readonly encoder: CaptureEncoder | undefined;
  /** What is masked before it is scaled; not for a coded source. */
  readonly redaction?: RedactionOptions | undefined;
  readonly logger: Logger;
}

export type CaptureEvents = {
  /** The source changed its size, and frames are made by a new plan. */
  resized: [source: Size, plan: ScalePlan];
  /** Capture ended for good: the source is lost, or the pipeline failed. */
  failed: [error: CapError];
};

/** Name of the appsink at the pipeline's end. */
export const UNITS = 'units';

/** Behind what knows the damage, and before all else. */
const MASKED = '! videoconvert ! capredact name=redact ';

/** One source, captured, scaled by a plan and encoded, in one pipeline. */
export class Capture extends TypedEvents<CaptureEvents> implements Closable {
  readonly source: VideoSource;
  readonly pipeline: Pipeline;
  /** Where something is masked. */
  readonly redactor: Redactor | undefined;
  readonly #encoder: CaptureEncoder | undefined;
  readonly #planFor: (source: Size) => ScalePlan;
  readonly #logger: Logger;
  readonly #watch: SourceWatch;
  #plan: ScalePlan;
  #size: Size;
  #failure: CapError | undefined;
  #closed = false;

  /**
   * Builds the pipeline; `start` runs it.
   * @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND, CAP_DEPENDENCY_MISSING, CAP_USAGE
   */
  constructor({ source, scaling, fps, encoder, redaction = {}, logger }: CaptureSettings) {
    super();
    const masks = checkRedaction(redaction);
    if (masks && !encoder) {
      throw new CapError('CAP_USAGE', 'nothing can be masked in a stream that is passed on as it is');
    }
    requireInside(redaction, source.size);
    this.#logger = logger;
    this.#encoder = encoder;
    this.#planFor = scalePlanner(scaling);
    this.source = source;
    this.#size = source.size;
    this.#plan = this.#planFor(this.#size);
    // One streaming thread from capture to encoder, without a queue: when encoding takes longer than a
    // frame interval the source skips a tick, and the next frame is as new as can be.
    const limit = source.pacesFrames ? '' : '! capframelimit name=limit ';
    const pictures = `! video/x-raw,framerate=${fps}/1 ${limit}! identity name=capture silent=true ${masks ? MASKED : ''}! capcompose name=compose`;
    this.pipeline = new Pipeline(
      `${source.launch} ${encoder ? `${pictures} ! ${encoder.launch}` : '! identity name=capture silent=true'} ` +
        `! appsink name=${UNITS} sync=false async=false max-buffers=4`,
      { ...source.properties, ...encoder?.properties },
    );
    try {
      this.pipeline.stampFrames('capture', source.tellsDamage ? 'source' : 'pictures');
      this.redactor = masks ? redactorOf(this.pipeline, source, redaction) : undefined;
      this.#applyPlan();
      this.#watch = this.#watchSource();
    } catch (error) {
      // The pipeline has not started: letting it go is quick, and nobody else can.
      void this.pipeline.close();
      throw error;
    }
    this.pipeline.on('sourceSize', (size) => this.#resize(size));
    this.pipeline.on('failed', (error, element) => this.#fail(this.#isLoss(element) ? this.#lost(error) : error));
    this.pipeline.on('ended', () => this.#fail(new CapError('CAP_SOURCE_LOST', `${this.source.label} has ended`)));
  }

  /** The plan that frames are made by at present. */
  get plan(): ScalePlan {
    return this.#plan;
  }

  /** Why capture ended, once it has. */
  get failure(): CapError | undefined {
    return this.#failure;
  }

  get framesCaptured(): number {
    return this.pipeline.framesStamped;
  }

  start(): Promise<void> {
    return this.pipeline.play();
  }

  /** Stops until `resume`: nothing is captured or encoded, and what that takes is given back. */
  async rest(): Promise<void> {
    await this.#watch.rest?.();
    await this.pipeline.rest();
  }

  /** Goes on after `rest`, with a key frame. A source that is gone by now is told by `failed`. */
  async resume(): Promise<void> {
    try {
      this.#watch.resume?.();
      await this.pipeline.play();
    } catch (error) {
      this.#fail(this.#lost(toCapError(error)));
    }
  }

  /** Codes fewer frames a second, or with fewer bits, from the next frame on; not for a coded source. */
  setRate({ fps, maxBitrateKbps }: { readonly fps: number; readonly maxBitrateKbps: number }): void {
    if (this.#closed || !this.#encoder) return;
    this.pipeline.setProperty(this.source.pacesFrames ? 'source' : 'limit', 'max-fps', String(fps));
    for (const [name, value] of Object.entries(this.#encoder.liveBitrate?.(maxBitrateKbps) ?? {})) {
      this.pipeline.setProperty('encoder', name, value);
    }
  }

  readonly close = once(async () => {
    this.#closed = true;
    await closeAll([this.redactor, this.#watch, this.pipeline, { close: async () => this.source.close?.() }]);
  });

  #watchSource(): SourceWatch {
    const listener: SourceListener = {
      lost: (error) => this.#fail(error),
      warned: (message) => this.#logger.warn(message),
    };
    return this.source.watch(listener, this.pipeline);
  }

  #applyPlan(): void {
    if (this.source.coded) return;
    const plan = toNativePlan(this.#plan, this.#size);
    native((addon) => addon.setComposePlan(this.pipeline.native, 'compose', plan));
  }

  #resize(size: Size): void {
    if (this.#closed || (size.width === this.#size.width && size.height === this.#size.height)) return;
    this.#size = size;
    this.#plan = this.#planFor(size);
    this.#applyPlan();
    this.#logger.info(`the source is now ${size.width}x${size.height}`);
    this.emit('resized', size, this.#plan);
  }

  /** A source that gave pictures and fails is lost, whoever tells it first: its element, or its watch. */
  #isLoss(element: string): boolean {
    return element === 'source' && this.framesCaptured > 0;
  }

  #lost(cause: CapError): CapError {
    return new CapError('CAP_SOURCE_LOST', `${this.source.label}: ${cause.message.replace(/^source: /, '')}`, {
      cause,
    });
  }

  #fail(error: CapError): void {
    if (this.#closed || this.#failure) return;
    this.#failure = error;
    this.emit('failed', error);
  }
}

/** A region of another screen would mask nothing. */
function requireInside({ regions = [] }: RedactionOptions, { width, height }: Size): void {
  const outside = regions.find(({ x, y }) => x >= width || y >= height);
  if (!outside) return;
  throw new CapError('CAP_USAGE', `the redacted region ${formatRegion(outside)} lies outside the source`, {
    hint: `its size is ${formatSize({ width, height })}`,
  });
}

/** Whoever reads may be slow, but not so slow that what was never read stays to be seen. */
const SHOWN_UNREAD_MS = 10_000;

function redactorOf(pipeline: Pipeline, source: VideoSource, options: RedactionOptions): Redactor {
  const { regions = [], windows: patterns = [], texts = [], strict = false } = options;
  const { onScreen = { display: '', x: 0, y: 0 } } = source;
  if (patterns.length > 0 && !source.onScreen) {
    throw new CapError('CAP_USAGE', `windows can be masked on X screens alone, not in ${source.label}`, {
      hint: 'mask a region instead',
    });
  }
  const reads = texts.length > 0;
  const windows = { ...onScreen, patterns };
  return new Redactor(pipeline, 'redact', { regions, windows, reads, strict, shownUnreadMs: SHOWN_UNREAD_MS });
}
