import type { ImageFormula } from './formula.js';

const TILE_PX = 448;
const MAX_TILES = 12;
const TILE_TOKENS = 256;
/** They mark the start and the end of a picture. */
const MARKER_TOKENS = 2;

/**
 * InternVL 2 to 3: the grid of at most 12 tiles whose aspect ratio is the closest, and of equally close ones
 * the larger when the picture has more than half its pixels; a thumbnail beside more than one tile.
 * Source: `get_optimal_tiled_canvas` in Hugging Face transformers.
 */
export const internVlTiles: ImageFormula = (size) => {
  const aspect = size.width / size.height;
  const area = size.width * size.height;
  let best = 1;
  let bestDifference = Number.POSITIVE_INFINITY;
  for (let tiles = 1; tiles <= MAX_TILES; tiles += 1) {
    for (let columns = 1; columns <= tiles; columns += 1) {
      if (tiles % columns !== 0) continue;
      const difference = Math.abs(aspect - columns / (tiles / columns));
      const tiedAndLarge = difference === bestDifference && area > 0.5 * TILE_PX * TILE_PX * tiles;
      if (difference < bestDifference || tiedAndLarge) {
        best = tiles;
        bestDifference = difference;
      }
    }
  }
  return { tokens: (best > 1 ? best + 1 : 1) * TILE_TOKENS + MARKER_TOKENS, seen: size };
};
