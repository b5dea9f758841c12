import { setTimeout as sleep } from 'node:timers/promises';

const MINUTE_MS = 60_000;

/** Lets through at most so many tokens within any minute, in the order in which they come. */
export class TokenRate {
  readonly #perMinute: number;
  readonly #windowMs: number;
  #spent: { readonly atMs: number; readonly tokens: number }[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(perMinute: number, windowMs = MINUTE_MS) {
    this.#perMinute = perMinute;
    this.#windowMs = windowMs;
  }

  /** Resolves when there is room. What is more than a minute's tokens goes alone. */
  take(tokens: number, signal: AbortSignal | undefined): Promise<void> {
    const taken = this.#last.then(async () => {
      for (let waitMs = this.#waitMs(tokens); waitMs > 0; waitMs = this.#waitMs(tokens)) {
        await sleep(waitMs, undefined, signal ? { signal } : {});
      }
      this.#spent.push({ atMs: performance.now(), tokens });
    });
    this.#last = taken.catch(() => {});
    return taken;
  }

  #waitMs(tokens: number): number {
    const nowMs = performance.now();
    this.#spent = this.#spent.filter(({ atMs }) => atMs > nowMs - this.#windowMs);
    let over = this.#spent.reduce((sum, one) => sum + one.tokens, tokens) - this.#perMinute;
    for (const one of this.#spent) {
      if (over <= 0) return 0;
      over -= one.tokens;
      if (over <= 0) return one.atMs + this.#windowMs - nowMs;
    }
    const last = this.#spent.at(-1);
    return last ? last.atMs + this.#windowMs - nowMs : 0;
  }
}
