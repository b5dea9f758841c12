import type { Closable, Frame, Rect } from '../core/index.js';

/** Which frame is waited for. */
export interface NextFrameOptions {
  /** Wait for a frame whose `sequence` is larger than this; without it any frame will do. */
  readonly afterSequence?: number;
  readonly signal?: AbortSignal;
}

/** Where the consumer gets its pictures: the sampler, or anything else that can give the newest frame. */
export interface FrameSource extends Closable {
  /**
   * The newest frame, waiting for one newer than `afterSequence`. Frames between two calls are lost on purpose.
   * Rejects with the signal's reason when aborted, and with a CapError when the stream is lost or closed.
   */
  next(options?: NextFrameOptions): Promise<Frame>;
  /** Frames decoded since the source was opened, also those that nobody asked for. */
  readonly framesSeen: number;
  /**
   * What changed in the frames after `afterSequence` up to `upToSequence`, also in those that nobody asked for, in
   * pixels of the source. Undefined when unknown: the pixels decide then, as they do for a source without this.
   */
  damageBetween?(afterSequence: number, upToSequence: number): readonly Rect[] | undefined;
}
