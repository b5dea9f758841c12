/** How long is waited after failures. */
export interface BackOffOptions {
  /** After the first failure in a row. @default 1000 */
  readonly backOffMs?: number;
  /** Longest wait that doubling leads to. @default 60_000 */
  readonly maxBackOffMs?: number;
}

/** Doubles with each failure in a row, with up to a quarter taken off so that many do not come back together. */
export function backOffAfter(failuresInARow: number, options: BackOffOptions): number {
  const { backOffMs = 1000, maxBackOffMs = 60_000 } = options;
  return Math.min(maxBackOffMs, backOffMs * 2 ** (failuresInARow - 1)) * (1 - Math.random() / 4);
}
