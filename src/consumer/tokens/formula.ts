import type { Size } from '../../core/index.js';

/** How closely the model looks, where the provider lets one choose. Names as in OpenAI's interface. */
export type ImageDetail = 'low' | 'high' | 'original' | 'auto';

export const IMAGE_DETAILS: readonly ImageDetail[] = ['low', 'high', 'original', 'auto'];

/** What a formula says about one picture. */
export interface ImageCost {
  readonly tokens: number;
  /**
   * The size that the provider scales the picture down to before it counts, in pixels; sending more than
   * this only costs bytes. The picture's own size where the provider does not scale, or cuts tiles itself.
   */
  readonly seen: Size;
}

/** What one picture of `size` costs. `detail` is ignored where the provider offers no choice. */
export type ImageFormula = (size: Size, detail: ImageDetail) => ImageCost;

/** Scales down into a square of `maxEdgePx`, keeping the aspect ratio; never up. */
export function shrinkInto(size: Size, maxEdgePx: number): Size {
  const scale = Math.min(1, maxEdgePx / size.width, maxEdgePx / size.height);
  if (scale === 1) return size;
  return { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) };
}

/** Rounds halves to the even neighbour, as Python's round() does, which several reference codes rely on. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return Math.round(value);
}
