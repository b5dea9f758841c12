import type { Rect } from './geometry.js';

/**
 * Where the views of a Gundam composite lie in the streamed frame, in pixels.
 * `tiles` are the local views in row-major order (empty when the source needs none);
 * `global` is the padded overview.
 */
export interface GundamLayout {
  readonly columns: number;
  readonly rows: number;
  readonly tiles: readonly Rect[];
  readonly global: Rect;
}
