import { createHash } from 'node:crypto';
import type { AdaptorRequest } from '../adaptor.js';

/**
 * OpenAI keeps the beginning of a prompt by itself, on the machine that saw it; equal keys lead to the same one.
 * What stays the same from picture to picture makes the key, as a digest that tells nothing of it.
 */
export function promptCacheKey(model: string, { system, schema, prompt }: AdaptorRequest): string {
  const stable = JSON.stringify([model, system, schema, prompt]);
  return `cap-${createHash('sha256').update(stable).digest('hex').slice(0, 32)}`;
}
