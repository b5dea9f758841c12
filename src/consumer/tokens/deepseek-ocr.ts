import { gundamGrid } from '../../core/index.js';
import type { ImageFormula } from './formula.js';

/** Tokens along one side of a square view: a 16 px patch, then four times fewer. */
function tokensPerSide(viewPx: number): number {
  return Math.ceil(Math.floor(viewPx / 16) / 4);
}

/** A square view, one newline token for each row, and the separator. */
function globalViewTokens(viewPx: number): number {
  const side = tokensPerSide(viewPx);
  return side * (side + 1) + 1;
}

/** DeepSeek-OCR's Gundam mode: a 1024 px global view and local tiles of 640 px. Source: deepseek-ai/DeepSeek-OCR. */
export function deepSeekOcrGundam(maxCrops: 6 | 9): ImageFormula {
  const side = tokensPerSide(640);
  return (size) => {
    const { columns, rows } = gundamGrid(size, { maxCrops });
    const local = rows * side * (columns * side + 1);
    return { tokens: globalViewTokens(1024) + (columns > 0 ? local : 0), seen: size };
  };
}

/** DeepSeek-OCR 2: 256 tokens of global view, 144 for each 768 px tile, no newlines. Source: deepseek-ai/DeepSeek-OCR-2. */
export const deepSeekOcr2: ImageFormula = (size) => {
  const { columns, rows } = gundamGrid(size, { maxCrops: 6, tilePx: 768 });
  return { tokens: 256 + 144 * columns * rows + 1, seen: size };
};
