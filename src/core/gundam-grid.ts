import type { Size } from './geometry.js';

/** How the local tiles of a Gundam view lie; 0 × 0 when the picture needs none. */
export interface GundamGrid {
  readonly columns: number;
  readonly rows: number;
}

/** Which grids are allowed, and of which tiles. */
export interface GundamGridOptions {
  /** Most tiles a grid may have: 9 in the published remote code, 6 in the repository's configuration and in vLLM. */
  readonly maxCrops: 6 | 9;
  /**
   * Side of a square local tile in pixels, which is also the size up to which a picture is not cut:
   * 640 for DeepSeek-OCR, 768 for DeepSeek-OCR 2. @default 640
   */
  readonly tilePx?: 640 | 768;
}

/**
 * Every grid of 2 to 9 tiles as [columns, rows], by tile count and then in the order in which CPython
 * iterates the reference code's set, because the order decides exact ties. Its set for up to 6 tiles
 * iterates otherwise within a tile count, but there no two grids of equal count are ever equally close.
 */
const GRIDS: readonly (readonly [number, number])[] = [
  [1, 2],
  [2, 1],
  [3, 1],
  [1, 3],
  [2, 2],
  [4, 1],
  [1, 4],
  [5, 1],
  [1, 5],
  [1, 6],
  [6, 1],
  [3, 2],
  [2, 3],
  [7, 1],
  [1, 7],
  [4, 2],
  [2, 4],
  [1, 8],
  [8, 1],
  [1, 9],
  [3, 3],
  [9, 1],
];

/**
 * The grid that DeepSeek-OCR cuts a picture of `size` into: the allowed grid whose aspect ratio is the
 * closest, and of equally close ones the larger when the picture has more than half its pixels.
 * Source: `find_closest_aspect_ratio` and `dynamic_preprocess` in deepseek-ai/DeepSeek-OCR.
 */
export function gundamGrid(size: Size, options: GundamGridOptions): GundamGrid {
  const { maxCrops, tilePx = 640 } = options;
  if (size.width <= tilePx && size.height <= tilePx) return { columns: 0, rows: 0 };
  const aspect = size.width / size.height;
  const area = size.width * size.height;
  let best: GundamGrid = { columns: 1, rows: 1 };
  let bestDifference = Number.POSITIVE_INFINITY;
  for (const [columns, rows] of GRIDS) {
    if (columns * rows > maxCrops) continue;
    const difference = Math.abs(aspect - columns / rows);
    const closer = difference < bestDifference;
    const tiedAndLarge = difference === bestDifference && area > 0.5 * tilePx * tilePx * columns * rows;
    if (closer || tiedAndLarge) {
      best = { columns, rows };
      bestDifference = difference;
    }
  }
  return best;
}
