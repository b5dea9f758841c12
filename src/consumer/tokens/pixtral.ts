import type { ImageFormula } from './formula.js';

const PATCH_PX = 16;
const MAX_EDGE_PX = 1024;

/** Pixtral: a token for each 16 px patch of the picture fitted into 1024, and one at the end of each row. Source: Hugging Face transformers. */
export const pixtralPatches: ImageFormula = ({ width, height }) => {
  const shrink = Math.max(1, width / MAX_EDGE_PX, height / MAX_EDGE_PX);
  const seen = { width: Math.max(1, Math.floor(width / shrink)), height: Math.max(1, Math.floor(height / shrink)) };
  const columns = Math.ceil(seen.width / PATCH_PX);
  return { tokens: Math.ceil(seen.height / PATCH_PX) * (columns + 1), seen };
};
