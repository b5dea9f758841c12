import type { Size } from '../../core/index.js';
import type { ImageFormula } from './formula.js';

interface Canvas {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The canvas of at most `maxTiles` tiles that a picture is drawn on: the one on which it has to grow least,
 * or where none is large enough shrink least; of equals the smallest. Source: Hugging Face transformers.
 */
function bestCanvas(size: Size, tilePx: number, maxTiles: number): Canvas {
  let best: Canvas & { scale: number } = { columns: 1, rows: 1, scale: 0 };
  for (let columns = 1; columns <= maxTiles; columns += 1) {
    for (let rows = 1; rows * columns <= maxTiles; rows += 1) {
      const scale = Math.min((columns * tilePx) / size.width, (rows * tilePx) / size.height);
      const candidate = { columns, rows, scale };
      if (isBetter(candidate, best)) best = candidate;
    }
  }
  return best;
}

function isBetter(candidate: Canvas & { scale: number }, best: Canvas & { scale: number }): boolean {
  if (candidate.scale === best.scale) return candidate.columns * candidate.rows < best.columns * best.rows;
  if (candidate.scale >= 1) return best.scale < 1 || candidate.scale < best.scale;
  return best.scale < 1 && candidate.scale > best.scale;
}

/** Llama 3.2 Vision: 1,601 tokens for each of at most four 560 px tiles, as hosts bill them. */
export const llama32Tiles: ImageFormula = (size) => {
  const { columns, rows } = bestCanvas(size, 560, 4);
  return { tokens: 1601 * columns * rows, seen: size };
};

/** Llama 4: 144 tokens for each of at most sixteen 336 px tiles with a separator each, and for a global view. */
export const llama4Tiles: ImageFormula = (size) => {
  const { columns, rows } = bestCanvas(size, 336, 16);
  const tiles = columns * rows;
  return { tokens: 3 + 144 + (tiles > 1 ? 144 * tiles + rows * columns : 0), seen: size };
};
