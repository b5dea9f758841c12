import { CapError, type Closable, closeAll, once, TypedEvents, toCapError } from '../core/index.js';
import {
  type DisplayChoice,
  listMonitors,
  type MonitorRow,
  MonitorWatch,
  monitorKey,
  type ScreenOptions,
} from '../producer/index.js';
import { type Mp4Recorder, type RecordOptions, RtspServer, type RtspServerOptions } from '../transport/index.js';
import { CaptureSession } from './capture-session.js';
import { monitorFile } from './monitor-file.js';
import type { CaptureSessionOptions } from './open-capture.js';
import { RateAdaptation } from './rate-adaptation.js';

const RETRY_MS = 500;
const MOST_RETRIES = 5;
const ABSENT: readonly string[] = ['CAP_SOURCE_LOST', 'CAP_SOURCE_NOT_FOUND'];

/** One monitor, and the capture of it. */
export interface MonitorStream {
  readonly monitor: MonitorRow;
  /** The lowest that was free when the monitor came, from 1. */
  readonly number: number;
  /** Where the server has it: `/cap/1`. */
  readonly path: string;
  readonly session: CaptureSession;
  readonly recorder: Mp4Recorder | undefined;
}

/** What happens to single streams while the others go on. */
export type MonitorStreamsEvents = {
  /** A monitor was plugged in, and has its stream from now on. */
  added: [stream: MonitorStream];
  /** A monitor was plugged in, but cannot be captured or recorded. */
  refused: [monitor: MonitorRow, error: CapError];
  /** The monitor was unplugged or its capture failed: its mount has ended, its file is finished. */
  lost: [stream: MonitorStream, error: CapError];
  /** The file cannot be written further; the stream goes on where it is served. */
  recordingFailed: [stream: MonitorStream, error: CapError];
  /** The display is gone, or no monitor that is left can be captured. */
  ended: [error: CapError];
};

/** Every option of a capture session but the source, which is a monitor each. */
export interface MonitorStreamsOptions extends Omit<CaptureSessionOptions, 'source'> {
  readonly screen?: (DisplayChoice & Pick<ScreenOptions, 'cursor' | 'keepAliveMs'>) | undefined;
  /** False serves none: then there is something to do by `record` alone. */
  readonly rtsp?: RtspServerOptions | false | undefined;
  /**
   * Records each monitor into files of its own: `out.mp4` into `out-1.mp4`, `out-2.mp4` …; `{mount}` in it is `cap-1`,
   * `cap-2` …
   */
  readonly record?: string | undefined;
  readonly recordOptions?: Omit<RecordOptions, 'mount'> | undefined;
}

/**
 * Each monitor of a display, captured, served at `/cap/1`, `/cap/2` … of one RTSP server and recorded for itself.
 * Monitors that are plugged in later join, those unplugged leave.
 */
export class MonitorStreams extends TypedEvents<MonitorStreamsEvents> implements Closable {
  readonly server: RtspServer | undefined;
  readonly #options: MonitorStreamsOptions;
  readonly #watch: MonitorWatch;
  /** Of all monitors together: their readers share a network. */
  readonly #adaptation: RateAdaptation | undefined;
  readonly #streams: MonitorStream[] = [];
  /** Monitors that cannot be captured as they are: tried again when monitors have come, gone or changed. */
  readonly #failed = new Map<string, CapError>();
  /** How often each of those was tried again since anything changed. */
  readonly #retries = new Map<string, number>();
  readonly #recorded = new Map<number, number>();
  #work: Promise<void> = Promise.resolve();
  #retryTimer: NodeJS.Timeout | undefined;
  #ended = false;

  private constructor(options: MonitorStreamsOptions) {
    super();
    this.#options = options;
    this.#adaptation = options.quality === 'auto' ? new RateAdaptation({ logger: options.logger }) : undefined;
    this.#watch = new MonitorWatch(this.#screen);
    try {
      const { rtsp, logger } = options;
      this.server = rtsp === false ? undefined : new RtspServer({ logger, ...rtsp });
    } catch (error) {
      void this.#watch.close();
      throw error;
    }
    this.#watch.on('changed', () => {
      this.#enqueue(() => {
        this.#failed.clear();
        this.#retries.clear();
        return this.#follow();
      });
    });
    this.#watch.on('lost', (error) => this.#enqueue(() => this.#endAll(error)));
  }

  /** @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND, CAP_PORT_UNAVAILABLE and as CaptureSession.open does */
  static async open(options: MonitorStreamsOptions = {}): Promise<MonitorStreams> {
    const streams = new MonitorStreams(options);
    const opening = streams.#open();
    streams.#work = opening.catch(() => {});
    try {
      await opening;
      return streams;
    } catch (error) {
      await streams.close();
      throw error;
    }
  }

  /** Those that run. */
  get streams(): readonly MonitorStream[] {
    return this.#streams;
  }

  /** Ends all streams, then the server. Idempotent. @throws CAP_OUTPUT_FAILED when a file could not be finished */
  readonly close = once(async () => {
    this.#ended = true;
    clearTimeout(this.#retryTimer);
    await this.#watch.close();
    await this.#work;
    await closeAll([...this.#streams.splice(0).map(({ session }) => session), this.#adaptation, this.server]);
  });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #screen(): NonNullable<MonitorStreamsOptions['screen']> {
    return this.#options.screen ?? {};
  }

  /** One thing after the other: a mount must have ended before another takes its path. */
  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (!this.#ended) await work();
    });
  }

  async #open(): Promise<void> {
    const monitors = listMonitors(this.#screen);
    if (monitors.length === 0) throw new CapError('CAP_SOURCE_NOT_FOUND', 'the display has no monitor');
    for (const monitor of monitors) await this.#add(monitor);
  }

  /** Brings the streams in line with the monitors there are. */
  async #follow(): Promise<void> {
    let monitors: MonitorRow[];
    try {
      monitors = listMonitors(this.#screen);
    } catch (error) {
      return this.#endAll(new CapError('CAP_SOURCE_LOST', `the display is gone: ${toCapError(error).message}`));
    }
    const keys = monitors.map((monitor) => monitorKey(monitor, this.#screen));
    // A capture may fail because its monitor goes, before the watch has heard of that: then nothing is wrong.
    for (const key of [...this.#failed.keys()]) if (!keys.includes(key)) this.#failed.delete(key);
    for (const stream of this.#streams.filter(({ monitor }) => !keys.includes(monitorKey(monitor, this.#screen)))) {
      const error = new CapError('CAP_SOURCE_LOST', `monitor ${stream.monitor.name} was unplugged or changed`);
      await this.#remove(stream, error);
    }
    for (const [index, monitor] of monitors.entries()) {
      const key = keys[index] ?? '';
      if (this.#failed.has(key) || this.#streams.some((one) => monitorKey(one.monitor, this.#screen) === key)) continue;
      try {
        this.emit('added', await this.#add(monitor));
      } catch (error) {
        this.#failed.set(key, toCapError(error));
        this.emit('refused', monitor, toCapError(error));
      }
    }
    if (this.#hopeful().length > 0) return this.#retrySoon();
    const [error] = this.#failed.values();
    // Without any monitor there is hope: one may be plugged in.
    if (error && this.#streams.length === 0) this.#end(error);
  }

  /** A monitor that goes may be back before its capture has failed, and news of it come before or after that. */
  #retrySoon(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#enqueue(() => {
        for (const key of this.#hopeful()) {
          this.#retries.set(key, (this.#retries.get(key) ?? 0) + 1);
          this.#failed.delete(key);
        }
        return this.#follow();
      });
    }, RETRY_MS);
  }

  /** Monitors whose capture failed because they were not there. */
  #hopeful(): string[] {
    const failed = [...this.#failed].filter(([, { code }]) => ABSENT.includes(code));
    return failed.map(([key]) => key).filter((key) => (this.#retries.get(key) ?? 0) < MOST_RETRIES);
  }

  async #add(monitor: MonitorRow): Promise<MonitorStream> {
    const { screen: _screen, rtsp: _rtsp, record, recordOptions, ...options } = this.#options;
    const source = { kind: 'screen', ...this.#screen, monitor: monitor.name || String(monitor.number) } as const;
    const session = await CaptureSession.open({ adaptation: this.#adaptation, ...options, source });
    try {
      const number = this.#freeNumber();
      const path = `/cap/${number}`;
      if (this.server) await session.serveOn(this.server, path);
      const times = (this.#recorded.get(number) ?? 0) + 1;
      const recorder =
        record === undefined ? undefined : await session.record(monitorFile(record, number, times), recordOptions);
      this.#recorded.set(number, times);
      const stream = { monitor, number, path, session, recorder };
      this.#streams.push(stream);
      session.on('failed', (error) => this.#enqueue(() => this.#fail(stream, error)));
      recorder?.on('failed', (error) => this.#recordingFailed(stream, error));
      return stream;
    } catch (error) {
      await session.close().catch(() => {}); // the first error is what went wrong
      throw error;
    }
  }

  #freeNumber(): number {
    for (let number = 1; ; number++) if (!this.#streams.some((stream) => stream.number === number)) return number;
  }

  /** The capture failed, because its monitor is gone or for a reason of its own. */
  async #fail(stream: MonitorStream, error: CapError): Promise<void> {
    if (!this.#streams.includes(stream)) return;
    this.#failed.set(monitorKey(stream.monitor, this.#screen), error);
    await this.#remove(stream, error);
    await this.#follow();
  }

  #recordingFailed(stream: MonitorStream, error: CapError): void {
    this.emit('recordingFailed', stream, error);
    if (!this.server) this.#enqueue(() => this.#fail(stream, error));
  }

  async #remove(stream: MonitorStream, error: CapError): Promise<void> {
    this.#streams.splice(this.#streams.indexOf(stream), 1);
    // What failed may fail to close as well; it is gone either way, and its recorder has said so.
    await stream.session.close().catch(() => {});
    this.emit('lost', stream, error);
  }

  async #endAll(error: CapError): Promise<void> {
    for (const stream of [...this.#streams]) await this.#remove(stream, error);
    this.#end(error);
  }

  #end(error: CapError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emit('ended', error);
  }
}
