/**
 * Where every frame that the source decoded went. At any moment
 * `seen = superseded + stale + skipped + failed + aborted + answered + pending`.
 */
export interface WatchCounts {
  readonly seen: number;
  /** A newer frame was there when it was their turn. */
  readonly superseded: number;
  /** Older than `staleAfterMs` when it was their turn. */
  readonly stale: number;
  /** Held back by a gate. */
  readonly skipped: number;
  readonly failed: number;
  /** Under way when the watch was closed. */
  readonly aborted: number;
  readonly answered: number;
  /** Under way now, or the newest frame waiting for its turn. */
  readonly pending: number;
}

export type Outcome = 'stale' | 'skipped' | 'failed' | 'aborted' | 'answered';

/** Counts frames by their sequence numbers: each is taken at most once, and what lies between was superseded. */
export class WatchAccounts {
  readonly #outcomes: Record<Outcome, number> = { stale: 0, skipped: 0, failed: 0, aborted: 0, answered: 0 };
  readonly #first: number;
  #last: number;
  #superseded = 0;
  #finalSeen: number | undefined;

  /** @param framesSeen of the source when the watch begins; the newest of them is the first that counts */
  constructor(framesSeen: number) {
    this.#first = Math.max(0, framesSeen - 1);
    this.#last = this.#first - 1;
  }

  /** Sequence of the frame taken last. */
  get lastSequence(): number {
    return this.#last;
  }

  take(sequence: number): void {
    this.#superseded += sequence - this.#last - 1;
    this.#last = sequence;
  }

  settle(outcome: Outcome): void {
    this.#outcomes[outcome] += 1;
  }

  /** Nothing is taken any more: what came after the last frame taken is superseded by nothing, and counts as such. */
  end(framesSeen: number): void {
    if (this.#finalSeen !== undefined) return;
    this.#finalSeen = framesSeen;
    this.#superseded += Math.max(0, framesSeen - this.#last - 1);
  }

  counts(framesSeen: number): WatchCounts {
    const seen = (this.#finalSeen ?? framesSeen) - this.#first;
    const settled = Object.values(this.#outcomes).reduce((sum, count) => sum + count, 0);
    return { seen, superseded: this.#superseded, ...this.#outcomes, pending: seen - this.#superseded - settled };
  }
}
