import type { Frame } from '../core/index.js';
import { frameAgeMs } from './frame-age.js';

/** Thrown where a frame has waited too long to be worth sending. It stays inside a watch. */
export class StaleFrame extends Error {}

export function isStale(frame: Frame, staleAfterMs: number | undefined): boolean {
  return staleAfterMs !== undefined && (frameAgeMs(frame) ?? 0) > staleAfterMs;
}
