import type { Rect, Size } from './geometry.js';
import type { GundamLayout } from './gundam-layout.js';

/** What travels with every frame, in the stream itself (docs/sei.md). */
export interface FrameMetadata {
  /** Counts the frames captured since the source was opened, from 0. */
  readonly frameNumber: number;
  /** CLOCK_MONOTONIC of the capturing machine, in nanoseconds. */
  readonly capturedMonotonicNs: bigint;
  /** Wall clock at capture, in microseconds since 1970-01-01 UTC. */
  readonly capturedWallUs: bigint;
  /** Names the monotonic clock's boot, so that two processes know whether they share it. */
  readonly clockId: bigint;
  /** Size of the captured picture before scaling. */
  readonly source: Size;
  /** Name of the scale plan, such as `p4`, `source` or `gundam`. */
  readonly plan: string;
  /** Rectangles of the source that changed since the previous frame; undefined when unknown. */
  readonly damage?: readonly Rect[];
  /** Rectangles of the source that were masked before encoding. */
  readonly masked?: readonly Rect[];
  /** Present when the frame is a Gundam composite. */
  readonly gundam?: GundamLayout;
}

/** A sampled picture, decoded. */
export interface Frame extends Size {
  /** Packed 8-bit RGB, `width * height * 3` bytes, no row padding. */
  readonly data: Buffer;
  /** CLOCK_MONOTONIC when the frame had been decoded, in nanoseconds. */
  readonly receivedMonotonicNs: bigint;
  /** Wall clock when the frame had been decoded, in microseconds since 1970-01-01 UTC. */
  readonly receivedWallUs: bigint;
  /** Counts the frames this sampler decoded, from 0. */
  readonly sequence: number;
  /** What our producer wrote into the stream; undefined for other streams, such as a camera's. */
  readonly metadata?: FrameMetadata;
}
