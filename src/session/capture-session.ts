import {
  CapError,
  type Closable,
  closeAll,
  closedError,
  expectInteger,
  type Logger,
  once,
  type Size,
  silentLogger,
  TypedEvents,
} from '../core/index.js';
import { native, Pipeline } from '../native/index.js';
import {
  openSource,
  planner,
  type ScalePlan,
  type ScalingOptions,
  type SourceOptions,
  toNativePlan,
  type VideoSource,
} from '../producer/index.js';
import {
  type EncoderOptions,
  Mp4Recorder,
  RtspServer,
  type RtspServerOptions,
  SharedStream,
  x264Encoder,
} from '../transport/index.js';

export interface CaptureOptions {
  /** What to capture. @default { kind: 'screen' } */
  readonly source?: SourceOptions | undefined;
  /** How it is scaled. @default full size */
  readonly scaling?: ScalingOptions | undefined;
  readonly encoder?: EncoderOptions | undefined;
  /** Frames a second, 1 to 120. @default 30 */
  readonly fps?: number | undefined;
  readonly logger?: Logger | undefined;
}

export type CaptureEvents = {
  /** The source changed its size; the stream goes on in the new plan's size. */
  resized: [source: Size, plan: ScalePlan];
  /** Capture ended for good: the source is lost, or the pipeline failed. The session must still be closed. */
  failed: [error: CapError];
};

export interface CaptureStats {
  readonly framesCaptured: number;
  readonly framesEncoded: number;
  readonly keyFrames: number;
  readonly encodedBytes: number;
  /** Mean milliseconds from the capture of a frame to its coded picture. */
  readonly captureToEncodedMs: number;
}

/** Frames that come after the first are waited for by nobody; the first one proves that capture works. */
const FIRST_FRAME_TIMEOUT_MS = 10_000;

/** One source, captured and encoded once, with the doors that serve it. */
export class CaptureSession extends TypedEvents<CaptureEvents> implements Closable {
  readonly source: VideoSource;
  readonly stream: SharedStream;
  readonly #pipeline: Pipeline;
  readonly #plan: (source: Size) => ScalePlan;
  readonly #logger: Logger;
  readonly #doors: Closable[] = [];
  readonly #watch: Closable;
  #current: ScalePlan;
  #sourceSize: Size;
  #failure: CapError | undefined;
  #closed = false;

  private constructor(source: VideoSource, pipeline: Pipeline, plan: (source: Size) => ScalePlan, logger: Logger) {
    super();
    this.source = source;
    this.#pipeline = pipeline;
    this.#plan = plan;
    this.#logger = logger;
    this.#sourceSize = source.size;
    this.#current = plan(source.size);
    pipeline.stampFrames('capture');
    this.stream = new SharedStream(pipeline, 'units');
    this.#apply(this.#current);
    pipeline.on('sourceSize', (size) => this.#resize(size));
    pipeline.on('failed', (error) => this.#fail(error));
    pipeline.on('ended', () => this.#fail(new CapError('CAP_SOURCE_LOST', `${source.label} has ended`)));
    this.#watch = source.watch({
      lost: (error) => this.#fail(error),
      warned: (message) => logger.warn(message),
    });
  }

  /**
   * Finds the source and starts capture and encoder; resolves with the first coded frame.
   * @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND, CAP_DEPENDENCY_MISSING, CAP_PIPELINE_FAILED, CAP_USAGE
   */
  static async open(options: CaptureOptions = {}): Promise<CaptureSession> {
    const fps = expectInteger('fps', options.fps ?? 30, 1, 120);
    const plan = planner(options.scaling);
    const encoder = x264Encoder(options.encoder ?? {}, fps);
    const source = openSource(options.source ?? { kind: 'screen' });
    // One streaming thread from capture to encoder, without a queue: when encoding takes longer than a
    // frame interval the source skips a tick, and the next frame is as new as can be.
    const pipeline = new Pipeline(
      `${source.launch} ! video/x-raw,framerate=${fps}/1 ! identity name=capture silent=true ` +
        `! capcompose name=compose ! ${encoder.launch} ! appsink name=units sync=false async=false max-buffers=4`,
      { ...source.properties, ...encoder.properties },
    );
    let session: CaptureSession | undefined;
    try {
      session = new CaptureSession(source, pipeline, plan, options.logger ?? silentLogger);
      await session.#start();
      return session;
    } catch (error) {
      await (session ?? pipeline).close();
      throw error;
    }
  }

  /** The plan that frames are made by at present. */
  get plan(): ScalePlan {
    return this.#current;
  }

  get stats(): CaptureStats {
    const { accessUnits, keyFrames, bytes, captureToEncodedMs } = this.stream.stats;
    return {
      framesCaptured: this.#pipeline.framesStamped,
      framesEncoded: accessUnits,
      keyFrames,
      encodedBytes: bytes,
      captureToEncodedMs: accessUnits > 0 ? captureToEncodedMs / accessUnits : 0,
    };
  }

  /** Serves the stream over RTSP at `path`. @throws CAP_PORT_UNAVAILABLE, CAP_PIPELINE_FAILED */
  async serveRtsp(path = '/cap', options: RtspServerOptions = {}): Promise<RtspServer> {
    this.#requireOpen();
    const server = new RtspServer({ logger: this.#logger, ...options });
    this.#doors.push(server);
    await server.mount(path, this.stream);
    return server;
  }

  /** Records the stream into an MP4, from the same encode. @throws CAP_OUTPUT_FAILED */
  async record(path: string): Promise<Mp4Recorder> {
    this.#requireOpen();
    const recorder = await Mp4Recorder.open(this.stream, path);
    this.#doors.push(recorder);
    return recorder;
  }

  /** Ends the doors, then the capture. Idempotent. */
  readonly close = once(async () => {
    this.#closed = true;
    await closeAll([this.#watch, ...this.#doors, this.stream, this.#pipeline]);
  });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(): Promise<void> {
    await this.#pipeline.play();
    const deadline = performance.now() + FIRST_FRAME_TIMEOUT_MS;
    while (this.stream.stats.accessUnits === 0) {
      if (this.#failure) throw this.#failure;
      if (performance.now() > deadline) {
        throw new CapError('CAP_PIPELINE_FAILED', `no frame came from ${this.source.label} in ten seconds`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw closedError('the capture session');
  }

  #apply(plan: ScalePlan): void {
    native((addon) => addon.setComposePlan(this.#pipeline.native, 'compose', toNativePlan(plan, this.#sourceSize)));
    this.stream.describe({ plan: plan.name, gundam: plan.gundam });
  }

  #resize(size: Size): void {
    if (this.#closed || (size.width === this.#sourceSize.width && size.height === this.#sourceSize.height)) return;
    this.#sourceSize = size;
    this.#current = this.#plan(size);
    this.#apply(this.#current);
    this.#logger.info(`the source is now ${size.width}x${size.height}`);
    this.emit('resized', size, this.#current);
  }

  #fail(error: CapError): void {
    if (this.#closed || this.#failure) return;
    this.#failure = error;
    this.emit('failed', error);
  }
}
