import { type CapError, type Closable, once } from '../core/index.js';
import { type DoorStats, type NativeByteSink, type NativeDoor, native, Pipeline } from '../native/index.js';
import type { AccessUnitStream } from './shared-stream.js';

/** Two seconds at 30 fps wait for a reader, half of them coded and half of them multiplexed; then whole GOPs are lost. */
const MAX_WAITING_ACCESS_UNITS = 30;
// The multiplexer hands each picture on at once: with an alignment its last packets would wait for the next one.
const LAUNCH =
  'appsrc name=door ! h264parse ! mpegtsmux name=mux alignment=0 ' +
  `! appsink name=bytes sync=false async=false buffer-list=true max-buffers=${MAX_WAITING_ACCESS_UNITS}`;

/** A shared stream as an MPEG transport stream, for one reader; it begins with a key frame. */
export class TsFeed implements Closable {
  readonly #pipeline: Pipeline;
  readonly #sink: NativeByteSink;
  readonly #door: NativeDoor;
  #failure: CapError | undefined;
  #sentBytes = 0;
  #closed = false;
  #wake = (): void => {};

  private constructor(pipeline: Pipeline, stream: AccessUnitStream) {
    this.#pipeline = pipeline;
    this.#sink = native((addon) => new addon.ByteSink(pipeline.native, 'bytes', () => this.#wake()));
    pipeline.on('failed', (error) => {
      this.#failure = error;
      this.#wake();
    });
    this.#door = native((addon) => new addon.Door(stream.native, pipeline.native, 'door', MAX_WAITING_ACCESS_UNITS));
  }

  /** @throws CAP_DEPENDENCY_MISSING, CAP_PIPELINE_FAILED */
  static async open(stream: AccessUnitStream): Promise<TsFeed> {
    const pipeline = new Pipeline(LAUNCH);
    try {
      await pipeline.play();
      return new TsFeed(pipeline, stream);
    } catch (error) {
      await pipeline.close();
      throw error;
    }
  }

  /** `sentBytes`: what the reader has taken. */
  get stats(): DoorStats & { readonly sentBytes: number } {
    return { ...this.#door.stats(), sentBytes: this.#sentBytes };
  }

  /** The next bytes, once there are any; undefined when it was closed. One call at a time. @throws CAP_PIPELINE_FAILED */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      if (this.#failure) throw this.#failure;
      const announced = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const bytes = this.#sink.pull();
      if (bytes) {
        this.#sentBytes += bytes.length;
        return bytes;
      }
      await announced;
    }
  }

  readonly close = once(async () => {
    this.#closed = true;
    this.#wake();
    this.#door.close();
    this.#sink.close();
    await this.#pipeline.close();
  });
}
