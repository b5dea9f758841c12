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
import { type Capture, type ScalePlan, UNITS } from '../producer/index.js';
import {
  type AudioTrackDescription,
  audioSocketName,
  Mp4Recorder,
  type Mp4RecorderStats,
  Publisher,
  type PublisherStats,
  type PublishSecrets,
  type RecordOptions,
  RtspServer,
  type RtspServerOptions,
  SharedStream,
  type StreamRate,
  UnitSender,
} from '../transport/index.js';
import { OnDemand } from './on-demand.js';
import { type CaptureSessionOptions, type OpenedCapture, openCapture } from './open-capture.js';
import type { ReaderReports } from './rate-adaptation.js';
import { type AudioStats, SessionAudio } from './session-audio.js';
import type { SessionRate } from './session-rate.js';
import { type RedactionStats, redactionStats, type TextRedaction } from './text-redaction.js';

/** What a capture session says between `open` and `close`. */
export type CaptureSessionEvents = {
  /** The source changed its size; the stream goes on in the new plan's size. */
  resized: [source: Size, plan: ScalePlan];
  /** Capture ended for good: the source is lost, or the pipeline failed. The session must still be closed. */
  failed: [error: CapError];
};

/** Counters since the session was opened. */
export interface CaptureStats {
  readonly framesCaptured: number;
  readonly framesEncoded: number;
  readonly keyFrames: number;
  readonly encodedBytes: number;
  /** Mean milliseconds from the capture of a frame to its coded picture. */
  readonly captureToEncodedMs: number;
  /** What bounds it at present; undefined when nothing is encoded here. */
  readonly rate: StreamRate | undefined;
  /** What is masked; undefined where nothing is to be. */
  readonly redaction: RedactionStats | undefined;
  /** Of each channel of sound. */
  readonly audio: readonly AudioStats[];
  /** Of each server that the stream is pushed to. */
  readonly published: readonly PublisherStats[];
  /** Of each recording. */
  readonly recorded: readonly Mp4RecorderStats[];
}

const FIRST_FRAME_TIMEOUT_MS = 10_000;
/** Most time between two pictures of a still screen while it is recorded: a crash costs up to two of them. */
const STILL_MS = 200;

/** One source and its sound, captured and encoded once, with the doors that serve them. */
export class CaptureSession extends TypedEvents<CaptureSessionEvents> implements Closable {
  readonly stream: SharedStream;
  readonly #capture: Capture;
  readonly #audio: SessionAudio;
  readonly #fps: number;
  readonly #logger: Logger;
  /** In the order in which they were opened; whoever closes one takes it out. */
  readonly #doors = new Set<Closable>();
  readonly #publishers = new Set<Publisher>();
  readonly #rate: SessionRate;
  readonly #texts: TextRedaction | undefined;
  readonly #recorders = new Set<Mp4Recorder>();
  #onDemand: OnDemand | undefined;
  #closed = false;

  private constructor({ capture, texts, rate }: OpenedCapture, audio: SessionAudio, fps: number, logger: Logger) {
    super();
    this.#rate = rate;
    this.#fps = fps;
    this.#capture = capture;
    this.#texts = texts;
    this.#audio = audio;
    this.#logger = logger;
    this.stream = new SharedStream(capture.pipeline, UNITS, { codedElsewhere: capture.source.coded });
    this.#describe(capture.plan);
    capture.on('resized', (size, plan) => {
      this.#describe(plan);
      this.emit('resized', size, plan);
    });
    capture.on('failed', (error) => this.emit('failed', error));
  }

  /**
   * Finds the source and starts capture and encoder; resolves with the first coded frame.
   * @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND, CAP_DEPENDENCY_MISSING, CAP_PIPELINE_FAILED, CAP_USAGE
   */
  static async open(options: CaptureSessionOptions = {}): Promise<CaptureSession> {
    const logger = options.logger ?? silentLogger;
    const lingerMs = expectInteger('lingerMs', options.lingerMs ?? 5000, 0, 3_600_000);
    const audio = await SessionAudio.open(options.audio ?? {}, logger);
    let owner: Closable = audio;
    try {
      const opened = await openCapture(options, logger);
      owner = { close: () => closeAll([opened.texts, opened.capture, audio]) };
      const session = new CaptureSession(opened, audio, options.fps ?? 30, logger);
      owner = session;
      await session.#start();
      if (options.onDemand) session.#onDemand = new OnDemand([audio, opened.capture], session.stream, lingerMs, logger);
      session.#rate.adapt(options.adaptation, () => session.stream.stats.bytes, logger);
      return session;
    } catch (error) {
      await owner.close();
      throw error;
    }
  }

  /** Whether the source's own H.264 is passed on: nothing is scaled or encoded. */
  get passesOn(): boolean {
    return this.#capture.source.coded === true;
  }

  /** Whether nothing is captured at present, as nobody watches: see `onDemand`. */
  get resting(): boolean {
    return this.#onDemand?.resting ?? false;
  }

  /** For people: what is captured. */
  get label(): string {
    return this.#capture.source.label;
  }

  /** The plan that frames are made by at present. */
  get plan(): ScalePlan {
    return this.#capture.plan;
  }

  /** For people: how it is scaled and coded, `p4 960x540 at 30 fps, 4000 kbit/s at most (high)`. */
  get picture(): string {
    return this.#rate.picture;
  }

  /** Bounds its bits anew, from the next frame on; readers notice nothing else. Not for a stream that is passed on. */
  setRate(rate: StreamRate): void {
    this.#rate.set(rate);
  }

  /** With the quality `auto`, follows these readers as well as those of its own servers. */
  hearReaders(reports: ReaderReports): void {
    this.#rate.hear(reports);
  }

  get stats(): CaptureStats {
    const { accessUnits, keyFrames, bytes, captureToEncodedMs } = this.stream.stats;
    return {
      framesCaptured: this.#capture.framesCaptured,
      framesEncoded: accessUnits,
      keyFrames,
      encodedBytes: bytes,
      captureToEncodedMs: accessUnits > 0 ? captureToEncodedMs / accessUnits : 0,
      rate: this.#rate.current,
      redaction: redactionStats(this.#capture.redactor, this.#texts),
      audio: this.#audio.stats,
      published: [...this.#publishers].map(({ stats }) => stats),
      recorded: [...this.#recorders].map(({ stats }) => stats),
    };
  }

  /** Serves the stream over RTSP at `path`. @throws CAP_PORT_UNAVAILABLE, CAP_PIPELINE_FAILED */
  async serveRtsp(path = '/cap', options: RtspServerOptions = {}): Promise<RtspServer> {
    this.#requireOpen();
    const server = new RtspServer({ logger: this.#logger, ...options });
    this.#doors.add(server);
    server.once('closed', () => this.#doors.delete(server));
    this.#rate.hear(() => server.readerReports(path));
    try {
      await server.mount(path, this.stream, { audio: this.#audio.tracks });
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Serves the stream on a server that has others too; closing the session ends this mount alone. */
  async serveOn(server: RtspServer, path: string): Promise<void> {
    this.#requireOpen();
    this.#doors.add({ close: () => server.unmount(path) });
    this.#rate.hear(() => server.readerReports(path));
    await server.mount(path, this.stream, { audio: this.#audio.tracks });
  }

  /**
   * Records the stream into MP4, from the same encode.
   * @param name `out.mp4`, or for segments a template: `rec/%Y-%m-%d/%H-%M-%S.mp4` (docs/recording.md)
   * @throws CAP_OUTPUT_FAILED, CAP_USAGE
   */
  async record(name: string, options: RecordOptions = {}): Promise<Mp4Recorder> {
    this.#requireOpen();
    if (options.onChangeMs !== undefined && this.passesOn) {
      throw new CapError('CAP_USAGE', 'what changes is not known of a stream that is passed on as it is', {
        hint: 'have it encoded here, as with --fps 15',
      });
    }
    const stillMs = Math.max(STILL_MS, 1000 / this.#fps);
    const logger = this.#logger;
    const recorder = await Mp4Recorder.open(this.stream, name, options, { audio: this.#audio.tracks, stillMs, logger });
    if (this.#closed) {
      await recorder.close();
      throw closedError('the capture session');
    }
    this.#doors.add(recorder);
    this.#recorders.add(recorder);
    recorder.once('closed', () => {
      this.#doors.delete(recorder);
      this.#recorders.delete(recorder);
    });
    return recorder;
  }

  /**
   * Pushes the stream to a server, and connects again whenever that fails.
   * @param url `rtsp://`, `rtmp://`, `srt://`, `whip+http://` or `whip+https://`
   * @throws CAP_USAGE, CAP_DEPENDENCY_MISSING
   */
  publish(url: string, secrets: PublishSecrets = {}): Publisher {
    this.#requireOpen();
    const publisher = new Publisher(this.stream, url, { ...secrets, logger: this.#logger });
    this.#doors.add(publisher);
    this.#publishers.add(publisher);
    publisher.once('closed', () => {
      this.#doors.delete(publisher);
      this.#publishers.delete(publisher);
    });
    return publisher;
  }

  /**
   * Sends the stream to the process of this machine that has a ReceivedStream at that socket, and each channel of sound
   * to the one at its own: see `audioSocketName`.
   */
  sendTo(socketName: string): UnitSender {
    this.#requireOpen();
    const send = (stream: SharedStream, name: string): UnitSender => {
      const sender = new UnitSender(stream, name);
      this.#doors.add(sender);
      return sender;
    };
    for (const [index, { stream }] of this.#audio.tracks.entries()) {
      send(stream, audioSocketName(socketName, index + 1));
    }
    return send(this.stream, socketName);
  }

  /** The channels of sound, for who serves them in another process. */
  get audio(): readonly AudioTrackDescription[] {
    return this.#audio.tracks.map(({ title, payloader }) => ({ title, payloader }));
  }

  /** Ends the doors, then the capture. Idempotent. */
  readonly close = once(async () => {
    this.#closed = true;
    const onDemand = this.#onDemand ? [this.#onDemand] : [];
    await closeAll([this.#rate, ...this.#doors, ...onDemand, this.stream, this.#texts, this.#capture, this.#audio]);
  });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(): Promise<void> {
    // Not before: a screen may be shared only once its user has agreed, and a microphone should not be heard sooner.
    await this.#audio.start();
    await this.#capture.start();
    const deadline = performance.now() + FIRST_FRAME_TIMEOUT_MS;
    while (this.stream.stats.accessUnits === 0) {
      if (this.#capture.failure) throw this.#capture.failure;
      if (performance.now() > deadline) {
        throw new CapError('CAP_PIPELINE_FAILED', `no frame came from ${this.label} in ten seconds`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #describe(plan: ScalePlan): void {
    this.stream.describe({ plan: plan.name, gundam: plan.gundam });
  }

  #requireOpen(): void {
    if (this.#closed) throw closedError('the capture session');
  }
}
