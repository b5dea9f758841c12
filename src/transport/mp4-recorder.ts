import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CapError, type Closable, once, TypedEvents, toCapError } from '../core/index.js';
import { type DoorStats, type NativeDoor, native, Pipeline } from '../native/index.js';
import type { AudioTrack } from './audio-track.js';
import type { AccessUnitStream } from './shared-stream.js';

/** What a recorder says while it records. */
export type Mp4RecorderEvents = {
  /** The file cannot be written further: disk full, folder gone. What was written still plays. */
  failed: [error: CapError];
  /** The file is finished, or given up. */
  closed: [];
};

/** Milliseconds of video in one fragment: what a crash may cost. */
const FRAGMENT_MS = 500;
/**
 * By default filesink holds 64 KiB back, seconds of a still screen: a crash would lose them, and a full disk would
 * show only when the file is finished, which then spoils what was written.
 */
const UNBUFFERED = { 'buffer-mode': 'unbuffered' };
/** Ten seconds at 30 fps may wait for a slow disk. */
const MAX_WAITING_ACCESS_UNITS = 300;
/** As many seconds of sound, which waits for the video that it is interleaved with. */
const MAX_WAITING_PACKETS = 500;
/** A still screen may send nothing for long, and would hold the sound back. */
const STILL_MS = 1000;
const LAST_FRAME_TIMEOUT_MS = 200;
const FINISH_TIMEOUT_MS = 1200;

/**
 * Records a shared stream into an MP4 without encoding it again. The file is written in fragments, each
 * complete in itself, and plays up to the last one whatever happens; `close` turns it into a plain MP4.
 */
export class Mp4Recorder extends TypedEvents<Mp4RecorderEvents> implements Closable {
  readonly path: string;
  readonly #pipeline: Pipeline;
  readonly #stream: AccessUnitStream;
  readonly #door: NativeDoor;
  readonly #audioDoors: readonly NativeDoor[];
  readonly #stillTimer: NodeJS.Timeout | undefined;
  #failure: CapError | undefined;

  private constructor(path: string, stream: AccessUnitStream, audio: readonly AudioTrack[], pipeline: Pipeline) {
    super();
    this.#stream = stream;
    this.path = path;
    this.#pipeline = pipeline;
    this.#door = native((addon) => new addon.Door(stream.native, pipeline.native, 'door', MAX_WAITING_ACCESS_UNITS));
    this.#audioDoors = audio.map(({ stream: { native: hub } }, index) =>
      native((addon) => new addon.Door(hub, pipeline.native, `audio${index}`, MAX_WAITING_PACKETS, this.#door)),
    );
    if (audio.length > 0) this.#stillTimer = this.#watchForStillness();
    pipeline.on('failed', (error) => this.#fail(error));
  }

  /**
   * Starts recording, at the next key frame, which is asked for; each channel of sound becomes a track.
   * @throws CAP_OUTPUT_FAILED
   */
  static async open(stream: AccessUnitStream, path: string, audio: readonly AudioTrack[] = []): Promise<Mp4Recorder> {
    const file = resolve(path);
    checkWritable(file);
    const pipeline = new Pipeline(
      'appsrc name=door ! h264parse ' +
        `! mp4mux name=mux fragment-duration=${FRAGMENT_MS} fragment-mode=first-moov-then-finalise ! filesink name=file` +
        audio.map((_, index) => ` appsrc name=audio${index} format=time ! mux.`).join(''),
      { file: { location: file, ...UNBUFFERED } },
    );
    try {
      await pipeline.play();
      return new Mp4Recorder(file, stream, audio, pipeline);
    } catch (error) {
      await pipeline.close();
      throw outputError(file, error);
    }
  }

  get stats(): DoorStats & { readonly bytes: number } {
    const bytes = existsSync(this.path) ? statSync(this.path).size : 0;
    return { ...this.#door.stats(), bytes };
  }

  /** Finishes the file. Idempotent; throws CAP_OUTPUT_FAILED when it could not be written. */
  readonly close = once(async () => {
    clearInterval(this.#stillTimer);
    try {
      await this.#lastFrame();
      const finished = this.#finished();
      for (const door of [this.#door, ...this.#audioDoors]) door.close();
      await finished;
      await this.#pipeline.close();
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
    if (this.#failure || delivered === 0) return;
    this.#stream.requestKeyFrame();
    const deadlineMs = performance.now() + LAST_FRAME_TIMEOUT_MS;
    while (this.#door.stats().delivered === delivered && performance.now() < deadlineMs) await sleep(5);
  }

  #watchForStillness(): NodeJS.Timeout {
    let before = 0;
    return setInterval(() => {
      const { delivered } = this.#door.stats();
      if (delivered === before) this.#stream.requestKeyFrame();
      before = delivered;
    }, STILL_MS).unref();
  }

  #finished(): Promise<void> {
    if (this.#failure || this.#door.stats().delivered === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FINISH_TIMEOUT_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#pipeline.once('ended', done);
      this.#pipeline.once('failed', done);
    });
  }

  #fail(error: CapError): void {
    if (this.#failure) return;
    this.#failure = outputError(this.path, error);
    this.emit('failed', this.#failure);
  }
}

function checkWritable(path: string): void {
  try {
    if (existsSync(path)) {
      if (!statSync(path).isFile()) throw new Error('it is not a file');
      accessSync(path, constants.W_OK);
    } else {
      accessSync(dirname(path), constants.W_OK);
    }
  } catch (error) {
    throw outputError(path, error);
  }
}

function outputError(path: string, error: unknown): CapError {
  return new CapError('CAP_OUTPUT_FAILED', `cannot write ${path}: ${toCapError(error).message}`, {
    hint: 'check that the folder exists, that you may write there and that the disk has room',
    cause: error,
  });
}
