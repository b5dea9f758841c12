import { CapError, type Size } from '../../core/index.js';
import { type ImageCost, type ImageDetail, type ImageFormula, shrinkInto } from './formula.js';

const PATCH_PX = 32;
const TILE_PX = 512;

/** One way of looking: the square that a picture is scaled into, and the most patches it may then have. */
interface PatchSizing {
  readonly maxEdgePx: number;
  readonly patchBudget?: number;
}

interface PatchFamily {
  /** Hundredths of a token per patch: 120 is the published multiplier 1.2. Whole numbers keep the product exact. */
  readonly centiTokensPerPatch: number;
  readonly low: PatchSizing;
  readonly high: PatchSizing;
  /** Undefined where the model does not offer `original`. */
  readonly original?: PatchSizing;
  readonly auto: 'high' | 'original';
}

/**
 * Patch models: fit into a square, shrink until the 32 px patches are within the budget, count them and
 * multiply. Source: OpenAI's guide "Images and vision".
 */
export function openAiPatches(family: PatchFamily): ImageFormula {
  return (size, detail) => {
    const chosen = detail === 'auto' ? family.auto : detail;
    const sizing = family[chosen];
    if (!sizing) {
      throw new CapError('CAP_USAGE', 'this model does not offer the detail "original"', {
        hint: 'use low, high or auto',
      });
    }
    const seen = withinBudget(shrinkInto(size, sizing.maxEdgePx), sizing.patchBudget);
    return { tokens: Math.ceil((patches(seen) * family.centiTokensPerPatch) / 100), seen };
  };
}

function patches(size: Size): number {
  return Math.ceil(size.width / PATCH_PX) * Math.ceil(size.height / PATCH_PX);
}

function withinBudget(size: Size, budget: number | undefined): Size {
  if (budget === undefined || patches(size) <= budget) return size;
  const { width, height } = size;
  const ideal = Math.sqrt((PATCH_PX * PATCH_PX * budget) / (width * height));
  const across = (width * ideal) / PATCH_PX;
  const down = (height * ideal) / PATCH_PX;
  const scale = ideal * Math.min(Math.floor(across) / across, Math.floor(down) / down);
  return { width: Math.floor(width * scale), height: Math.floor(height * scale) };
}

/**
 * Tile models: a base price, and one for each 512 px tile of the picture fitted into 2048 × 2048 with a
 * short side of 768 at most; `low` is the base alone. Source: OpenAI's guide "Images and vision".
 */
export function openAiTiles(baseTokens: number, tileTokens: number): ImageFormula {
  return (size: Size, detail: ImageDetail): ImageCost => {
    if (detail === 'low') return { tokens: baseTokens, seen: shrinkInto(size, TILE_PX) };
    const seen = shortSideWithin(shrinkInto(size, 2048), 768);
    const tiles = Math.ceil(seen.width / TILE_PX) * Math.ceil(seen.height / TILE_PX);
    return { tokens: baseTokens + tileTokens * tiles, seen };
  };
}

function shortSideWithin(size: Size, maxShortPx: number): Size {
  const short = Math.min(size.width, size.height);
  if (short <= maxShortPx) return size;
  const long = Math.floor((Math.max(size.width, size.height) * maxShortPx) / short);
  return size.width < size.height ? { width: maxShortPx, height: long } : { width: long, height: maxShortPx };
}
