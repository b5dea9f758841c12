import { type CapError, type Closable, closeAll, once, TypedEvents, toCapError } from '../core/index.js';
import { type ElementProperties, Pipeline } from '../native/index.js';
import type { AudioSource } from './audio-source.js';
import { UNITS } from './capture.js';

export type AudioCaptureEvents = {
  /** The source has nothing to give for now: the stream goes on with silence. */
  interrupted: [reason: string];
  resumed: [];
  /** The pipeline failed, and nothing comes of it any more. */
  failed: [error: CapError];
};

/** One channel of sound, recorded and encoded, in a pipeline of its own: whatever befalls it, the video goes on. */
export class AudioCapture extends TypedEvents<AudioCaptureEvents> implements Closable {
  readonly label: string;
  /** Its appsink is UNITS, as a capture's. */
  readonly pipeline: Pipeline;
  readonly #source: AudioSource;

  /**
   * Builds the pipeline; `start` runs it.
   * @param source closed with the capture
   * @param encoder GStreamer fragment from raw audio to what the appsink gets
   * @throws CAP_DEPENDENCY_MISSING
   */
  constructor(source: AudioSource, encoder: { readonly launch: string; readonly properties: ElementProperties }) {
    super();
    this.label = source.label;
    this.#source = source;
    this.pipeline = new Pipeline(
      `cappulsesrc name=source ! audioconvert ! ${encoder.launch} ` +
        `! appsink name=${UNITS} sync=false async=false max-buffers=50`,
      { source: source.properties, ...encoder.properties },
    );
    this.pipeline.on('interrupted', (reason) => this.emit('interrupted', reason));
    this.pipeline.on('resumed', () => this.emit('resumed'));
    this.pipeline.on('failed', (error) => this.emit('failed', error));
    source.watch?.(this.pipeline);
  }

  start(): Promise<void> {
    return this.pipeline.play();
  }

  /** Goes on after `rest`; why it cannot is told by `failed`. */
  async resume(): Promise<void> {
    await this.pipeline.play().catch((error) => this.emit('failed', toCapError(error)));
  }

  /** Lets the device go until `resume`. */
  rest(): Promise<void> {
    return this.pipeline.rest();
  }

  readonly close = once(async () => {
    await closeAll([this.pipeline, this.#source]);
  });
}
