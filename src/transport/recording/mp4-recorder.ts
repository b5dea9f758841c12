import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CapError,
  type Closable,
  type Logger,
  monotonicNowNs,
  once,
  silentLogger,
  TypedEvents,
  toCapError,
} from '../../core/index.js';
import { type DoorStats, type NativeRecordingDoor, native } from '../../native/index.js';
import type { AudioTrack } from '../audio-track.js';
import type { AccessUnitStream } from '../shared-stream.js';
import { FileTemplate, PARTIAL } from './file-template.js';
import { isNoSpace, Mp4Segment, outputError } from './mp4-segment.js';
import { type RecordOptions, segmentRules } from './record-options.js';
import { Retention } from './retention.js';

/** What a recorder says while it records. */
export type Mp4RecorderEvents = {
  /** Nothing can be written further: disk full, folder gone. What was written still plays. */
  failed: [error: CapError];
  /** A file has begun. */
  began: [path: string];
  /** A file is whole. */
  finished: [path: string];
  /** A file was removed, by what is to be retained or to make room. */
  removed: [path: string];
  /** The last file is finished, or given up. */
  closed: [];
};

/** Counters since it was opened. */
export interface Mp4RecorderStats extends DoorStats {
  /** Of all its files. */
  readonly bytes: number;
  readonly segments: number;
  /** Times that a file could not be written. */
  readonly writeErrors: number;
  readonly removed: number;
}

/** What a recorder is told beside its options. */
export interface Mp4RecorderContext {
  /** Channels of sound, each a track. */
  readonly audio?: readonly AudioTrack[] | undefined;
  /** Most time between two pictures of a still screen. @default 200 */
  readonly stillMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

const LAST_FRAME_TIMEOUT_MS = 200;
const SWEEP_INTERVAL_MS = 10_000;

/**
 * Records a shared stream into MP4 files without encoding it again: every picture and all sound goes into exactly one
 * of them. The one that is written plays up to half a second before now, whatever happens.
 */
export class Mp4Recorder extends TypedEvents<Mp4RecorderEvents> implements Closable {
  readonly #template: FileTemplate;
  readonly #stream: AccessUnitStream;
  readonly #channels: number;
  readonly #logger: Logger;
  readonly #retention: Retention;
  readonly #door: NativeRecordingDoor;
  /** Those that are not finished, by their numbers. */
  readonly #segments = new Map<number, Mp4Segment>();
  readonly #sweepTimer: NodeJS.Timeout | undefined;
  /** Files are opened and removed one after the other. */
  #work: Promise<void> = Promise.resolve();
  #path: string;
  #finishedBytes = 0;
  #writeErrors = 0;
  #removed = 0;
  /** What `#removed` was when the newest file began. */
  #removedBefore = 0;
  #failure: CapError | undefined;

  private constructor(
    stream: AccessUnitStream,
    template: FileTemplate,
    options: RecordOptions,
    { audio = [], stillMs = 200, logger = silentLogger }: Mp4RecorderContext,
  ) {
    super();
    const rules = segmentRules(options, template, stillMs);
    this.#template = template;
    this.#path = template.text;
    this.#stream = stream;
    this.#channels = audio.length;
    this.#logger = logger;
    this.#retention = new Retention(template, options, (path) => this.#isOpen(path));
    const hubs = [stream.native, ...audio.map((track) => track.stream.native)];
    this.#door = native(
      (addon) =>
        new addon.RecordingDoor(hubs, rules, ({ number, capturedUs }) => {
          this.#enqueue(() => this.#openSegment(Number(number), Number(capturedUs)));
        }),
    );
    this.#enqueue(() => this.#tidy(() => this.#retention.removeAbandoned()));
    if (this.#retention.isOn) this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  /**
   * Starts recording, at the next key frame, which is asked for.
   * @param name of the file, or a template of names: see FileTemplate
   * @throws CAP_OUTPUT_FAILED, CAP_USAGE
   */
  static async open(
    stream: AccessUnitStream,
    name: string,
    options: RecordOptions = {},
    context: Mp4RecorderContext = {},
  ): Promise<Mp4Recorder> {
    const template = new FileTemplate(name, options.mount);
    checkWritable(template);
    return new Mp4Recorder(stream, template, options, context);
  }

  /** The newest file; before the first one, what it will be named after. */
  get path(): string {
    return this.#path;
  }

  get stats(): Mp4RecorderStats {
    const open = [...this.#segments.values()].reduce((sum, segment) => sum + segment.bytes, 0);
    const bytes = this.#finishedBytes + open;
    return { ...this.#door.stats(), bytes, writeErrors: this.#writeErrors, removed: this.#removed };
  }

  /** Finishes the last file. Idempotent; throws CAP_OUTPUT_FAILED when nothing could be written any more. */
  readonly close = once(async () => {
    clearInterval(this.#sweepTimer);
    try {
      await this.#lastFrame();
      this.#door.end();
      await this.#work;
      await Promise.allSettled([...this.#segments.values()].map((segment) => segment.close()));
      await this.#work;
      this.#door.close();
      if (this.#failure) throw this.#failure;
    } finally {
      this.emit('closed');
    }
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A screen that stands still sends a frame now and then: one more, so that the file lasts until now. */
  async #lastFrame(): Promise<void> {
    const { delivered } = this.#door.stats();
    if (this.#failure || this.#segments.size === 0) return;
    this.#stream.requestKeyFrame();
    const deadlineMs = performance.now() + LAST_FRAME_TIMEOUT_MS;
    while (this.#door.stats().delivered === delivered && performance.now() < deadlineMs) await sleep(5);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#giveUp(toCapError(error)));
  }

  async #openSegment(number: number, capturedUs: number): Promise<void> {
    if (this.#failure) return this.#door.abandon(number);
    const path = await this.#freePath(new Date(Date.now() - Number(monotonicNowNs()) / 1e6 + capturedUs / 1000));
    this.#removedBefore = this.#removed;
    try {
      await mkdir(dirname(path), { recursive: true });
      const segment = await Mp4Segment.open(path, this.#channels, this.#template.isFixed);
      this.#segments.set(number, segment);
      segment.on('finished', () => this.#onFinished(number, segment));
      segment.on('failed', (error) => this.#enqueue(() => this.#onFailed(number, error)));
      if (!this.#door.attach(number, segment.native, Mp4Segment.inputs(this.#channels))) await segment.discard();
    } catch (error) {
      return this.#onFailed(number, outputError(path, error));
    }
    this.#path = path;
    this.emit('began', path);
    if (!this.#template.isFixed) this.#logger.debug('recording', { file: path });
    this.#sweep();
  }

  /** Nothing that is there is written over, but a file that was named without a template. */
  async #freePath(date: Date): Promise<string> {
    for (let copy = 1; ; copy++) {
      const path = this.#template.pathAt(date, copy);
      if (this.#template.isFixed || !(existsSync(path) || existsSync(`${path}${PARTIAL}`))) return path;
    }
  }

  #onFinished(number: number, segment: Mp4Segment): void {
    this.#segments.delete(number);
    this.#finishedBytes += segment.bytes;
    if (!this.#template.isFixed) this.#logger.info('recorded', { file: segment.path, bytes: segment.bytes });
    this.emit('finished', segment.path);
  }

  /** A full disk may get room by what is old; after anything else it is the end. */
  async #onFailed(number: number, error: CapError): Promise<void> {
    this.#writeErrors += 1;
    this.#door.abandon(number);
    const segment = this.#segments.get(number);
    this.#segments.delete(number);
    await segment?.discard();
    this.#finishedBytes += segment?.bytes ?? 0;
    if (!this.#retention.isOn || !isNoSpace(error)) return this.#giveUp(error);
    await this.#tidy(async () => {
      if (await this.#retention.isFull()) await this.#removeOld(1);
    });
    // Without either the next one would fare no better.
    if (this.#removed === this.#removedBefore && !segment?.plays) return this.#giveUp(error);
    this.#logger.warn(`${error.message}; recording goes on in place of old files`);
    this.#door.resume();
  }

  #giveUp(error: CapError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.emit('failed', error);
  }

  #sweep(): void {
    this.#enqueue(() => this.#tidy(() => this.#removeOld()));
  }

  /** What cannot be removed is no reason to stop recording. */
  async #tidy(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#logger.warn(`old files cannot be removed: ${toCapError(error).message}`);
    }
  }

  async #removeOld(atLeast = 0): Promise<number> {
    const paths = await this.#retention.sweep(atLeast);
    this.#removed += paths.length;
    for (const path of paths) {
      this.#logger.info('removed', { file: path });
      this.emit('removed', path);
    }
    return paths.length;
  }

  #isOpen(path: string): boolean {
    return [...this.#segments.values()].some((segment) => segment.path === path);
  }
}

/** Whether a template's folder is there and files may be made in it: told now rather than later. */
function checkWritable({ folder, isFixed, text }: FileTemplate): void {
  try {
    accessSync(folder, constants.W_OK);
    if (isFixed && existsSync(text) && !statSync(text).isFile()) throw new Error('it is not a file');
  } catch (error) {
    throw outputError(text, error);
  }
}
