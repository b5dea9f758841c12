/**
 * Where every frame that the source decoded went. At any moment
 * `seen = superseded + gated + stale + skipped + overBudget + failed + aborted + answered + pending`.
 */
export interface WatchCounts {
  readonly seen: number;
  /** A newer frame took their place. */
  readonly superseded: number;
  /** Looked at, and showed nothing new. */
  readonly gated: number;
  /** Older than `staleAfterMs` when it was their turn. */
  readonly stale: number;
  /** Held back by one of `gates`. */
  readonly skipped: number;
  /** Worth showing, but the budget did not allow it. */
  readonly overBudget: number;
  readonly failed: number;
  /** Under way when the watch was closed. */
  readonly aborted: number;
  readonly answered: number;
  /** Under way now, or the newest frame waiting for its turn. */
  readonly pending: number;
}

export type Outcome = Exclude<keyof WatchCounts, 'seen' | 'pending'>;

/** Counts frames by their sequence numbers: each is taken at most once, and what lies between was superseded. */
export class WatchAccounts {
  readonly #outcomes: Record<Outcome, number> = {
    superseded: 0,
    gated: 0,
    stale: 0,
    skipped: 0,
    overBudget: 0,
    failed: 0,
    aborted: 0,
    answered: 0,
  };
  readonly #first: number;
  #last: number;
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
    this.#outcomes.superseded += sequence - this.#last - 1;
    this.#last = sequence;
  }

  settle(outcome: Outcome): void {
    this.#outcomes[outcome] += 1;
  }

  /** Nothing is taken any more: what came after the last frame taken is superseded by nothing, and counts as such. */
  end(framesSeen: number): void {
    if (this.#finalSeen !== undefined) return;
    this.#finalSeen = framesSeen;
    this.#outcomes.superseded += Math.max(0, framesSeen - this.#last - 1);
  }

  counts(framesSeen: number): WatchCounts {
    const seen = (this.#finalSeen ?? framesSeen) - this.#first;
    const settled = Object.values(this.#outcomes).reduce((sum, count) => sum + count, 0);
    return { seen, ...this.#outcomes, pending: seen - settled };
  }
}
