import { CapError, closedError, once, type Size, TypedEvents } from '../core/index.js';
import {
  type DamageFrom,
  type ElementProperties,
  type NativeEvent,
  type NativePipeline,
  native,
  nativePromise,
} from './addon.js';

export type PipelineEvents = {
  /** The pipeline failed; it gives no more data. `element` is the failing element's name. */
  failed: [error: CapError, element: string];
  /** End of stream. */
  ended: [];
  /** The source's size became known or changed. */
  sourceSize: [size: Size];
  /** The source has nothing to give for now, and silence takes its place. */
  interrupted: [reason: string];
  /** An interrupted source goes on. */
  resumed: [];
  /** What applications play may have changed. */
  streamsChanged: [];
};

/** A GStreamer pipeline with its bus events. The owner must close it. */
export class Pipeline extends TypedEvents<PipelineEvents> {
  /** The addon's object, for the other native classes. */
  readonly native: NativePipeline;
  #closed = false;

  /**
   * Builds the pipeline without starting it.
   * @param description GStreamer's launch syntax. Never put a user's text into it: use `properties`.
   * @throws CAP_DEPENDENCY_MISSING when an element is not installed, CAP_PIPELINE_FAILED for other faults.
   */
  constructor(description: string, properties: ElementProperties = {}) {
    super();
    this.native = native((addon) => new addon.Pipeline(description, properties, (event) => this.#dispatch(event)));
  }

  async play(): Promise<void> {
    await nativePromise(native(() => this.native.play()));
  }

  /** Stops it and gives everything back that it takes to run; `play` starts it anew. */
  async rest(): Promise<void> {
    if (this.#closed) throw closedError('the pipeline');
    await nativePromise(this.native.rest());
  }

  setProperty(element: string, property: string, value: string): void {
    if (this.#closed) throw closedError('the pipeline');
    native(() => this.native.setProperty(element, property, value));
  }

  /** Numbers frames leaving `element` and stamps them with their capture time, and what changed if `damage` is given. */
  stampFrames(element: string, damage?: DamageFrom): void {
    native(() => this.native.stampFrames(element, damage));
  }

  /** Makes one buffer of each list that reaches `element`: for srtsink, which would send each by itself. */
  joinLists(element: string): void {
    native(() => this.native.joinLists(element));
  }

  get framesStamped(): number {
    return this.native.framesStamped();
  }

  /** Plays from the start again. @throws CAP_PIPELINE_FAILED when the source cannot seek */
  async rewind(): Promise<void> {
    if (this.#closed) throw closedError('the pipeline');
    await nativePromise(this.native.rewind());
  }

  sendEos(): void {
    if (!this.#closed) this.native.sendEos();
  }

  /** Stops the pipeline and lets go of it. Idempotent. */
  readonly close = once(async () => {
    this.#closed = true;
    await this.native.close();
  });

  #dispatch(event: NativeEvent): void {
    if (this.#closed) return;
    switch (event.type) {
      case 'error': {
        const element = String(event.element);
        const error = new CapError('CAP_PIPELINE_FAILED', `${element}: ${event.message}`, {
          cause: new Error(String(event.debug)),
        });
        this.emit('failed', error, element);
        break;
      }
      case 'source-lost':
        this.emit('failed', new CapError('CAP_SOURCE_LOST', String(event.message)), 'source');
        break;
      case 'eos':
        this.emit('ended');
        break;
      case 'source-interrupted':
        this.emit('interrupted', String(event.message));
        break;
      case 'source-resumed':
        this.emit('resumed');
        break;
      case 'streams-changed':
        this.emit('streamsChanged');
        break;
      case 'source-size':
        this.emit('sourceSize', { width: Number(event.width), height: Number(event.height) });
        break;
    }
  }
}
