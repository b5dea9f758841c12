import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** @default 20000 */
  readonly timeoutMs?: number;
  /** @default 10 */
  readonly intervalMs?: number;
}

/** Calls `check` until it does not throw, and resolves with what it gives; rejects with what it threw last. Works without vitest. */
export async function eventually<T>(check: () => T | Promise<T>, patience: Patience = {}): Promise<T> {
  const { timeoutMs = 20_000, intervalMs = 10 } = patience;
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= endMs) throw error;
    }
    await sleep(intervalMs);
  }
}
