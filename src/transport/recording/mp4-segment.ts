import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CapError, type Closable, once, TypedEvents, toCapError } from '../../core/index.js';
import { type NativePipeline, Pipeline } from '../../native/index.js';
import { PARTIAL } from './file-template.js';

export type Mp4SegmentEvents = {
  /** It cannot be written further. What was written still plays. */
  failed: [error: CapError];
  /** It is whole, under its name. */
  finished: [];
};

/** Milliseconds of video in one fragment. Its last picture waits for the next one, so a crash costs up to two. */
const FRAGMENT_MS = 250;
/**
 * By default filesink holds 64 KiB back, seconds of a still screen: a crash would lose them, and a full disk would
 * show only when the file is finished, which then spoils what was written.
 */
const UNBUFFERED = { 'buffer-mode': 'unbuffered' };
const PLAYS_INTERVAL_MS = 50;
const FINISH_TIMEOUT_MS = 1200;

/**
 * One MP4. It is written in fragments, each complete in itself, and plays up to the last one whatever happens;
 * finished, it is a plain MP4. It gets its name once it plays: a file that does not is not seen.
 */
export class Mp4Segment extends TypedEvents<Mp4SegmentEvents> implements Closable {
  /** Its name, now or later. */
  readonly path: string;
  readonly #pipeline: Pipeline;
  readonly #ended: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #named = false;
  #failure: CapError | undefined;

  private constructor(path: string, pipeline: Pipeline) {
    super();
    this.path = path;
    this.#pipeline = pipeline;
    this.#ended = new Promise((resolve) => {
      pipeline.once('ended', resolve);
      pipeline.once('failed', () => resolve());
    });
    pipeline.once('ended', () => void this.close().catch(() => {})); // it has emitted what went wrong
    pipeline.on('failed', (error) => this.#fail(error));
    this.#nameOncePlaying();
  }

  /**
   * @param channels of sound
   * @param overwrites whether it may take the place of a file that is there
   * @throws CAP_OUTPUT_FAILED
   */
  static async open(path: string, channels: number, overwrites: boolean): Promise<Mp4Segment> {
    const partial = `${path}${PARTIAL}`;
    let pipeline: Pipeline | undefined;
    try {
      await (await open(partial, overwrites ? 'w' : 'wx')).close();
      pipeline = new Pipeline(
        'appsrc name=door ! h264parse ' +
          `! mp4mux name=mux fragment-duration=${FRAGMENT_MS} fragment-mode=first-moov-then-finalise ! filesink name=file` +
          Mp4Segment.inputs(channels)
            .slice(1)
            .map((name) => ` appsrc name=${name} format=time ! mux.`)
            .join(''),
        { file: { location: partial, ...UNBUFFERED } },
      );
      await pipeline.play();
      return new Mp4Segment(path, pipeline);
    } catch (error) {
      await pipeline?.close();
      rmSync(partial, { force: true });
      throw outputError(path, error);
    }
  }

  /** The names of the appsrcs: of the pictures, then of each channel. */
  static inputs(channels: number): string[] {
    return ['door', ...Array.from({ length: channels }, (_, index) => `audio${index}`)];
  }

  get native(): NativePipeline {
    return this.#pipeline.native;
  }

  /** Whether it has come to play, and has its name. */
  get plays(): boolean {
    return this.#named;
  }

  get bytes(): number {
    const written = this.#written;
    return existsSync(written) ? statSync(written).size : 0;
  }

  /** Once all its inputs have ended: waits for the end of the file, and gives it its name. @throws CAP_OUTPUT_FAILED */
  readonly close = once(async () => {
    await Promise.race([this.#ended, sleep(FINISH_TIMEOUT_MS, undefined, { ref: false })]);
    await this.discard();
    if (this.#failure) throw this.#failure;
    this.emit('finished');
  });

  /** Lets go of it as it is. What does not play is removed. */
  readonly discard = once(async () => {
    clearInterval(this.#timer);
    await this.#pipeline.close();
    if (!this.#nameIfItPlays()) rmSync(this.#written, { force: true });
  });

  get #written(): string {
    return this.#named ? this.path : `${this.path}${PARTIAL}`;
  }

  #nameOncePlaying(): void {
    this.#timer = setInterval(() => {
      if (this.#nameIfItPlays()) clearInterval(this.#timer);
    }, PLAYS_INTERVAL_MS).unref();
  }

  #nameIfItPlays(): boolean {
    if (this.#named) return true;
    try {
      if (!hasIndex(this.#written)) return false;
      renameSync(this.#written, this.path);
      this.#named = true;
    } catch (error) {
      this.#fail(toCapError(error));
    }
    return this.#named;
  }

  #fail(error: CapError): void {
    if (this.#failure) return;
    this.#failure = outputError(this.path, error);
    this.emit('failed', this.#failure);
  }
}

/** Whether a file has its `moov`, without which no player takes it (ISO/IEC 14496-12). */
function hasIndex(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const box = Buffer.alloc(16);
    for (let at = 0; readSync(file, box, 0, box.length, at) >= 8; ) {
      const short = box.readUInt32BE(0);
      const size = short === 1 ? Number(box.readBigUInt64BE(8)) : short;
      if (box.toString('latin1', 4, 8) === 'moov') return at + size <= statSync(path).size;
      if (size < 8) return false;
      at += size;
    }
    return false;
  } finally {
    closeSync(file);
  }
}

/** The error of a file that cannot be written. */
export function outputError(path: string, error: unknown): CapError {
  return new CapError('CAP_OUTPUT_FAILED', `cannot write ${path}: ${toCapError(error).message}`, {
    hint: 'check that the folder exists, that you may write there and that the disk has room',
    cause: error,
  });
}

/** GST_RESOURCE_ERROR_NO_SPACE_LEFT, and what the kernel says of a quota. */
const NO_SPACE = /gst-resource-error-quark 14\b|Disk quota exceeded|ENOSPC|EDQUOT/;

/** Whether a file cannot be written because the disk has no room. */
export function isNoSpace(error: unknown): boolean {
  return error instanceof Error && (NO_SPACE.test(error.message) || isNoSpace(error.cause));
}
