import { CapError } from '../../core/index.js';
import type { ImageDetail, ImageFormula } from './formula.js';

const TILE_TOKENS = 258;
/** At media resolution low, whatever the size. */
const LOW_TOKENS = 64;

/**
 * Gemini up to 2.5: 258 tokens when both sides are within 384 px, else 258 for each tile of a third to
 * two thirds of the short side. Google calls the rule rough. Source: ai.google.dev, image understanding.
 */
export const geminiTiles: ImageFormula = (size, detail) => {
  if (detail === 'original') {
    throw new CapError('CAP_USAGE', 'this model does not offer the detail "original"', {
      hint: 'use low, high or auto',
    });
  }
  if (detail === 'low') return { tokens: LOW_TOKENS, seen: size };
  if (size.width <= 384 && size.height <= 384) return { tokens: TILE_TOKENS, seen: size };
  const unitPx = Math.floor(Math.min(768, Math.max(256, Math.min(size.width, size.height) / 1.5)));
  return { tokens: TILE_TOKENS * Math.ceil(size.width / unitPx) * Math.ceil(size.height / unitPx), seen: size };
};

/** Token budgets of Gemini 3's media resolutions low, high (which is the default) and ultra high. */
const BUDGETS: Record<ImageDetail, number> = { low: 280, auto: 1120, high: 1120, original: 2240 };

/**
 * Gemini 3: a fixed budget whatever the picture's size; the aspect ratio decides how much of it is used.
 * The budgets are Google's (ai.google.dev, media resolution); the grid was inferred from measured counts.
 */
export const geminiBudget: ImageFormula = (size, detail) => ({
  tokens: budgetGrid(size.width / size.height, BUDGETS[detail]),
  seen: size,
});

/** The largest whole grid of about `budget` cells with the given aspect ratio. */
export function budgetGrid(aspect: number, budget: number): number {
  return Math.floor(Math.sqrt(budget * aspect)) * Math.floor(Math.sqrt(budget / aspect));
}
