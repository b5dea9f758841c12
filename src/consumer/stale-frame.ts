import type { Frame } from '../core/index.js';
import { frameAgeMs } from './frame-age.js';

/** Thrown where a frame is not worth sending any more: too old, or newer ones wait. It stays inside a watch. */
export class StaleFrame extends Error {
  readonly outcome: 'stale' | 'superseded';

  constructor(outcome: StaleFrame['outcome'] = 'stale') {
    super(outcome);
    this.outcome = outcome;
  }
}

export function isStale(frame: Frame, staleAfterMs: number | undefined): boolean {
  return staleAfterMs !== undefined && (frameAgeMs(frame) ?? 0) > staleAfterMs;
}
