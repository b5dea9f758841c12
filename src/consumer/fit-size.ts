import type { Size } from '../core/index.js';
import type { Adaptor } from './adaptor.js';
import { shrinkInto } from './tokens/formula.js';

/** What a size is fitted to. */
export type FitTarget = Pick<Adaptor, 'limits' | 'imageCost'>;

/** A picture is not made smaller than this share of a side for the sake of the grid. */
const SMALLEST_SCALE = 0.94;
/** Sides may be scaled a little apart, which nobody sees in less than this. */
const MAX_DISTORTION = 0.015;
/** Resampling blurs text: where nothing else asks for it, more pixels a token have to be gained than this. */
const WORTH_RESAMPLING = 1.02;

/** The largest size that the limits allow, the provider really looks at, and its tokens are filled by; never larger than `size`. */
export function fitSize(size: Size, target: FitTarget): Size {
  const { limits } = target;
  const seen = target.imageCost(withinPixels(shrinkInto(size, limits.maxEdgePx), limits.maxPixels)).seen;
  return limits.gridPx === undefined ? seen : onGrid(seen, limits.gridPx, target, seen.width === size.width);
}

function withinPixels(size: Size, maxPixels: number | undefined): Size {
  const area = size.width * size.height;
  if (maxPixels === undefined || area <= maxPixels) return size;
  const scale = Math.sqrt(maxPixels / area);
  return { width: Math.max(1, Math.floor(size.width * scale)), height: Math.max(1, Math.floor(size.height * scale)) };
}

/**
 * The last column and row of patches or tiles are padded, and cost as much as full ones. Of the sizes just
 * below, which need one column or row less, the one with the most pixels a token is taken.
 */
function onGrid(size: Size, gridPx: number, target: FitTarget, isUntouched: boolean): Size {
  let best = size;
  let bestYield = pixelsPerToken(size, target) * (isUntouched ? WORTH_RESAMPLING : 1);
  for (const candidate of candidates(size, gridPx)) {
    const found = pixelsPerToken(candidate, target);
    if (found > bestYield) {
      best = candidate;
      bestYield = found;
    }
  }
  return best;
}

function candidates(size: Size, gridPx: number): Size[] {
  const { width, height } = size;
  const whole = { width: Math.floor(width / gridPx) * gridPx, height: Math.floor(height / gridPx) * gridPx };
  const byWidth = { width: whole.width, height: Math.floor((height * whole.width) / width) };
  const byHeight = { width: Math.floor((width * whole.height) / height), height: whole.height };
  const snapped = [byWidth, byHeight].map((one) => ({
    width: Math.floor(one.width / gridPx) * gridPx,
    height: Math.floor(one.height / gridPx) * gridPx,
  }));
  return [byWidth, byHeight, whole, ...snapped].filter((one) => isNear(one, size));
}

function isNear(candidate: Size, size: Size): boolean {
  const across = candidate.width / size.width;
  const down = candidate.height / size.height;
  return Math.min(across, down) >= SMALLEST_SCALE && Math.abs(across - down) <= MAX_DISTORTION;
}

function pixelsPerToken(size: Size, target: FitTarget): number {
  return (size.width * size.height) / Math.max(1, target.imageCost(size).tokens);
}
