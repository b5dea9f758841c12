import type { Size } from '../../core/index.js';
import { type ImageFormula, roundHalfEven } from './formula.js';

const PATCH_PX = 28;

/** Up to which size a generation of Claude models looks at a picture. */
export interface AnthropicTier {
  readonly maxEdgePx: number;
  readonly maxTokens: number;
}

/** Claude 4.7 and later. */
export const HIGH_TIER: AnthropicTier = { maxEdgePx: 2576, maxTokens: 4784 };
/** Earlier models, such as Opus 4.6 and Haiku 4.5. */
export const STANDARD_TIER: AnthropicTier = { maxEdgePx: 1568, maxTokens: 1568 };

/**
 * One token for each 28 px patch, of the largest size with the same aspect ratio that is within the tier's
 * edge and token limits; the picture is padded to whole patches at its right and bottom.
 * Source: Anthropic's pages "Vision" and "Vision coordinates".
 */
export function anthropicPatches(tier: AnthropicTier): ImageFormula {
  return (size) => {
    const seen = largestFit(size, tier);
    return { tokens: patches(seen), seen };
  };
}

function patches(size: Size): number {
  return Math.ceil(size.width / PATCH_PX) * Math.ceil(size.height / PATCH_PX);
}

function fits(size: Size, tier: AnthropicTier): boolean {
  const padded = (edge: number): number => Math.ceil(edge / PATCH_PX) * PATCH_PX;
  return (
    padded(size.width) <= tier.maxEdgePx && padded(size.height) <= tier.maxEdgePx && patches(size) <= tier.maxTokens
  );
}

function largestFit(size: Size, tier: AnthropicTier): Size {
  if (fits(size, tier)) return size;
  let fitting = 1;
  let tooLong = Math.max(size.width, size.height);
  while (tooLong - fitting > 1) {
    const middle = Math.floor((fitting + tooLong) / 2);
    if (fits(withLongEdge(size, middle), tier)) fitting = middle;
    else tooLong = middle;
  }
  return withLongEdge(size, fitting);
}

function withLongEdge(size: Size, longPx: number): Size {
  const ratio = Math.min(size.width, size.height) / Math.max(size.width, size.height);
  const shortPx = Math.max(1, roundHalfEven(longPx * ratio));
  return size.width < size.height ? { width: shortPx, height: longPx } : { width: longPx, height: shortPx };
}
