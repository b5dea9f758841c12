import { CapError, type Size } from '../../core/index.js';
import { type ImageFormula, roundHalfEven } from './formula.js';

/** How a generation of Qwen-VL models counts. */
export interface QwenGrid {
  /** Pixels a token covers on each side: 28 for Qwen2.5-VL, 32 for Qwen3-VL. */
  readonly cellPx: 28 | 32;
  readonly minTokens: number;
  readonly maxTokens: number;
  /** Tokens that mark the start and the end of a picture, where they are billed. @default 0 */
  readonly markerTokens?: number;
}

/** Ratio of the long to the short side above which the reference code refuses a picture. */
const MAX_ASPECT = 200;

/**
 * Qwen-VL's "smart resize": sides rounded to whole cells, then scaled into the token limits. Source: `smart_resize` in QwenLM's qwen_vl_utils.
 */
export function qwenCells(grid: QwenGrid): ImageFormula {
  return (size) => {
    const { width, height } = size;
    if (Math.max(width, height) > MAX_ASPECT * Math.min(width, height)) {
      throw new CapError('CAP_PROVIDER_REJECTED', `a picture of ${width}x${height} is too narrow for a Qwen-VL model`);
    }
    const resized = smartResize(size, grid);
    const isLarger = resized.width > width || resized.height > height;
    return {
      tokens: (resized.width * resized.height) / grid.cellPx ** 2 + (grid.markerTokens ?? 0),
      seen: isLarger ? size : resized,
    };
  };
}

/** The size in whole cells that the picture is resampled to. */
export function smartResize(size: Size, grid: QwenGrid): Size {
  const { cellPx } = grid;
  const minPixels = grid.minTokens * cellPx ** 2;
  const maxPixels = grid.maxTokens * cellPx ** 2;
  const whole = (side: number, round: (value: number) => number): number =>
    Math.max(cellPx, round(side / cellPx) * cellPx);
  const rounded = { width: whole(size.width, roundHalfEven), height: whole(size.height, roundHalfEven) };
  const area = rounded.width * rounded.height;
  if (area > maxPixels) {
    const by = Math.sqrt((size.width * size.height) / maxPixels);
    return { width: whole(size.width / by, Math.floor), height: whole(size.height / by, Math.floor) };
  }
  if (area < minPixels) {
    const by = Math.sqrt(minPixels / (size.width * size.height));
    return { width: whole(size.width * by, Math.ceil), height: whole(size.height * by, Math.ceil) };
  }
  return rounded;
}
