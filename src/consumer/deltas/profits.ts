import type { Size } from '../../core/index.js';
import type { Adaptor } from '../adaptor.js';

const SMALL: Size = { width: 224, height: 224 };
const LARGE: Size = { width: 1280, height: 720 };

/**
 * Whether parts of a picture are worth anything to a model: not where a picture costs the same at any size, nor where
 * no conversation is held.
 */
export function profitsFromDeltas(adaptor: Pick<Adaptor, 'imageCost' | 'fixedPrompt'>): boolean {
  // Gemini 3 counts a little less for a square than for a wide picture, whatever their sizes.
  return adaptor.fixedPrompt === undefined && 2 * adaptor.imageCost(SMALL).tokens < adaptor.imageCost(LARGE).tokens;
}
