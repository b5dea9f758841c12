import type { CapError } from '../../core/index.js';
import { type BackOffOptions, backOffAfter } from '../back-off.js';

/**
 * Whether a provider may be asked. After a failure not before its pause is over, which doubles with each failure
 * in a row, or is the one that the provider names; then by one request, until that has succeeded.
 */
export class CircuitBreaker {
  readonly #options: BackOffOptions;
  #failuresInARow = 0;
  #openUntilMs = 0;
  #isTrying = false;

  constructor(options: BackOffOptions = {}) {
    this.#options = options;
  }

  /** Until a request may leave; 0 when it may now. */
  waitMs(nowMs: number): number {
    if (this.#failuresInARow === 0) return 0;
    const waitMs = Math.max(0, this.#openUntilMs - nowMs);
    return waitMs === 0 && this.#isTrying ? POLL_MS : waitMs;
  }

  /** A request leaves. */
  begin(): void {
    this.#isTrying = true;
  }

  succeeded(): void {
    this.#isTrying = false;
    this.#failuresInARow = 0;
    this.#openUntilMs = 0;
  }

  failed(error: CapError, nowMs: number): void {
    this.#isTrying = false;
    this.#failuresInARow += 1;
    const pauseMs = error.retryAfterMs ?? backOffAfter(this.#failuresInARow, this.#options);
    this.#openUntilMs = Math.max(this.#openUntilMs, nowMs + pauseMs);
  }

  /** It ended for a reason that says nothing about the provider. */
  abandoned(): void {
    this.#isTrying = false;
  }
}

/** How often is looked whether the request that tries a provider again has ended. */
const POLL_MS = 50;
