import { CapError, type Closable, closeAll, closedError, once, type Size, TypedEvents } from '../core/index.js';
import { type ElementProperties, type NativeRelay, native, Pipeline } from '../native/index.js';

/** A pipeline whose frames are to be had elsewhere. */
export interface FeedInput {
  /** GStreamer launch syntax without any user's text; raw video, or H.264 access units, leave its last element. */
  readonly launch: string;
  readonly properties: ElementProperties;
  /** H.264 access units, to be passed on as they are. */
  readonly coded: boolean;
  /** Frames come as fast as they can be read, and are to be played at their own speed. */
  readonly paced: boolean;
  /** Most frames a second of raw video. */
  readonly fps: number;
  /** Sets what neither the launch syntax nor properties can. */
  readonly prepare?: (pipeline: Pipeline) => void;
}

export type FeedConnectionEvents = {
  failed: [error: CapError];
  ended: [];
};

const FIRST_PICTURE_TIMEOUT_MS = 10_000;

/** One run of a feed's input, from its start to its first failure. The owner must close it. */
export class FeedConnection extends TypedEvents<FeedConnectionEvents> implements Closable {
  readonly size: Size;
  readonly #pipeline: Pipeline;
  readonly #fps: number;
  #relay: NativeRelay | undefined;
  #failure: CapError | undefined;

  private constructor(pipeline: Pipeline, size: Size, fps: number) {
    super();
    this.#pipeline = pipeline;
    this.size = size;
    this.#fps = fps;
    pipeline.on('failed', (error) => {
      this.#failure ??= error;
      this.emit('failed', error);
    });
    pipeline.on('ended', () => this.emit('ended'));
  }

  /** Starts the input and waits until the size of its pictures is known. They wait in turn. */
  static async open(input: FeedInput, signal?: AbortSignal): Promise<FeedConnection> {
    // Coded pictures wait without bound, as none may be lost; raw ones give way to newer ones, or hold the file up.
    const queue = input.coded ? 'max-buffers=0' : input.paced ? 'max-buffers=1' : 'max-buffers=1 drop=true';
    const pipeline = new Pipeline(
      `${input.launch} ${input.coded ? '' : toRaw(input.fps)} ! identity name=arrived silent=true ` +
        `! appsink name=frames sync=${input.paced} ${queue}`,
      input.properties,
    );
    try {
      input.prepare?.(pipeline);
      pipeline.stampFrames('arrived');
      return new FeedConnection(pipeline, await firstSize(pipeline, signal), input.coded ? 0 : input.fps);
    } catch (error) {
      await pipeline.close();
      throw error;
    }
  }

  /** Why it ended, if it failed, also before anybody listened. */
  get failure(): CapError | undefined {
    return this.#failure;
  }

  /** Pictures handed over so far. */
  get forwarded(): number {
    return this.#relay?.forwarded() ?? 0;
  }

  /** Hands pictures over to the appsrc of another pipeline from now on. */
  attach(to: Pipeline, appsrc: string): void {
    this.#relay = native((addon) => new addon.Relay(this.#pipeline.native, 'frames', to.native, appsrc, this.#fps));
  }

  rewind(): Promise<void> {
    return this.#pipeline.rewind();
  }

  readonly close = once(async () => {
    this.#relay?.close();
    await closeAll([this.#pipeline]);
  });
}

// The composer takes I420 of square pixels, and the encoder says BT.601.
const toRaw = (fps: number): string =>
  `! videorate drop-only=true max-rate=${fps} ! videoconvert ! videoscale ` +
  '! video/x-raw,format=I420,colorimetry=bt601,pixel-aspect-ratio=1/1';

function firstSize(pipeline: Pipeline, signal: AbortSignal | undefined): Promise<Size> {
  return new Promise((resolve, reject) => {
    const settle = <Args extends unknown[]>(done: (...args: Args) => void) => {
      return (...args: Args): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        done(...args);
      };
    };
    const fail = settle(reject);
    const abort = (): void => fail(closedError('the feed'));
    const late = new CapError('CAP_PIPELINE_FAILED', `no picture came in ${FIRST_PICTURE_TIMEOUT_MS / 1000} seconds`);
    const timer = setTimeout(() => fail(late), FIRST_PICTURE_TIMEOUT_MS);
    signal?.addEventListener('abort', abort, { once: true });
    pipeline.once('sourceSize', settle(resolve));
    pipeline.once('failed', fail);
    pipeline.once('ended', () => fail(new CapError('CAP_PIPELINE_FAILED', 'there is no picture in it')));
    pipeline.play().catch(fail);
  });
}
