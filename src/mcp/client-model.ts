import type { ImageLimits } from '../consumer/index.js';
import type { ImageCost } from '../consumer/tokens/formula.js';
import type { Size } from '../core/index.js';
import { knownProfile } from '../session/preset-table.js';

/** How a client's model looks at pictures: what it accepts, and what it pays. */
export interface ClientModel {
  readonly model: string;
  readonly limits: ImageLimits;
  imageCost(size: Size): ImageCost;
}

/** Claude's desktop application refuses results of more than 1 MiB, base64 included. */
const MOST_IMAGE_BYTES = 700_000;
/** Nobody reads more of a screen at once at a price that is worth it; a region is the better way. */
const USUAL_EDGE_PX = 1568;

/** By the name that a client gives itself, the model whose way of counting is nearest. */
const CLIENTS: readonly (readonly [RegExp, string])[] = [
  [/openai|chatgpt|codex|copilot/i, 'gpt-5.6-luna'],
  [/gemini|google/i, 'gemini-3-pro'],
  [/qwen/i, 'qwen3-vl'],
];
const OTHERS = 'claude-opus-4-7';

/** @param client the name that it gave itself @param model the one that it has, if that is known */
export function clientModelOf(client: string | undefined, model?: string): ClientModel {
  const name = model ?? CLIENTS.find(([pattern]) => pattern.test(client ?? ''))?.[1] ?? OTHERS;
  const { limits: all, formula } = knownProfile(name);
  // A client is shown what it asks for at that size; coordinates in it are those of the region.
  const { gridPx: _, ...limits } = all;
  return {
    model: name,
    limits: { ...limits, maxImageBytes: Math.min(limits.maxImageBytes, MOST_IMAGE_BYTES) },
    imageCost: (size) => formula(size, 'auto'),
  };
}

/** The same model for pictures whose longer side is at most so long. */
export function withEdge(model: ClientModel, edgePx: number = USUAL_EDGE_PX): ClientModel {
  return { ...model, limits: { ...model.limits, maxEdgePx: Math.min(edgePx, model.limits.maxEdgePx) } };
}
