import { CapError, expectKnownKeys } from '../../core/index.js';
import { type BudgetLimit, type Expense, formatBudget } from './budget-limit.js';
import { type Spending, SpendingJournal } from './spending-journal.js';

/** What may be spent. */
export interface BudgetOptions {
  /** On all streams, by all processes of this user that have a budget. @default none */
  readonly limits?: readonly BudgetLimit[];
  /** On this stream alone, by whichever process. @default none */
  readonly streamLimits?: readonly BudgetLimit[];
  /** Names the stream in the account. @default '' */
  readonly stream?: string;
  /** Where the account is kept. @default `$XDG_STATE_HOME/cap` */
  readonly folder?: string;
}

/** How the nearing end of a budget is met, one step after the other. */
export const BUDGET_STEPS = ['normal', 'slower', 'smaller', 'deltas', 'local', 'stopped'] as const;
/** One of BUDGET_STEPS. */
export type BudgetStep = (typeof BUDGET_STEPS)[number];

/** From which share of the budget on each step is taken; `stopped` is when a request no longer fits. */
const STEP_SHARES: readonly [BudgetStep, number][] = [
  ['local', 0.9],
  ['deltas', 0.85],
  ['smaller', 0.75],
  ['slower', 0.5],
];

/** What may be spent on a request that is under way. */
export interface Reservation {
  /** What was spent in the end: gives the rest back. */
  settle(spent: Expense): void;
}

/** Caps on what is spent, which hold within any stretch of time of their length and across restarts. */
export class Budget {
  readonly #limits: readonly { limit: BudgetLimit; stream: string | undefined }[];
  readonly #stream: string;
  readonly #journal: SpendingJournal;
  readonly #now: () => number;

  /** @param now the wall clock, in milliseconds */
  constructor(options: BudgetOptions, now: () => number = Date.now) {
    expectKnownKeys('a budget', options, ['limits', 'streamLimits', 'stream', 'folder']);
    const { limits = [], streamLimits = [], stream = '', folder } = options;
    this.#limits = [
      ...limits.map((limit) => ({ limit, stream: undefined })),
      ...streamLimits.map((limit) => ({ limit, stream })),
    ];
    this.#stream = stream;
    this.#journal = new SpendingJournal(folder);
    this.#now = now;
  }

  get needsPrice(): boolean {
    return this.#limits.some(({ limit }) => limit.unit === 'usd');
  }

  /** How much is used up, of the limit that is nearest to its end: from 0 to 1. */
  usedShare(): number {
    const nowMs = this.#now();
    const spendings = this.#journal.spendings(nowMs);
    const shares = this.#limits.map((one) => usedOf(one, spendings, nowMs) / one.limit.amount);
    return Math.max(0, ...shares);
  }

  step(): BudgetStep {
    const share = this.usedShare();
    return STEP_SHARES.find(([, from]) => share >= from)?.[0] ?? 'normal';
  }

  /**
   * Takes the most that a request can cost out of the budget.
   * @throws CAP_BUDGET_EXHAUSTED when it does not fit, with the time when it may
   */
  reserve(most: Expense): Reservation {
    for (const { limit } of this.#limits) {
      if (most[limit.unit] > limit.amount) throw tooSmall(limit, most);
    }
    const nowMs = this.#now();
    const mine = this.#journal.reserve(this.#stream, most, nowMs);
    const spendings = this.#journal.spendings(nowMs);
    for (const one of this.#limits) {
      if (usedOf(one, spendings, nowMs) <= one.limit.amount) continue;
      this.#journal.settle(mine, { tokens: 0, usd: 0 });
      throw exhausted(one.limit, freeInMs(one, spendings, mine, nowMs));
    }
    return { settle: (spent) => this.#journal.settle(mine, spent) };
  }
}

type Scope = { readonly limit: BudgetLimit; readonly stream: string | undefined };

function within({ limit, stream }: Scope, spendings: readonly Spending[], nowMs: number): Spending[] {
  return spendings.filter(
    (one) => one.atMs > nowMs - limit.windowMs && (stream === undefined || one.stream === stream),
  );
}

function usedOf(scope: Scope, spendings: readonly Spending[], nowMs: number): number {
  return within(scope, spendings, nowMs).reduce((sum, one) => sum + one[scope.limit.unit], 0);
}

/** Until so much of the oldest has left the window that `mine` fits. */
function freeInMs(scope: Scope, spendings: readonly Spending[], mine: Spending, nowMs: number): number {
  const { limit } = scope;
  let over = usedOf(scope, spendings, nowMs) - limit.amount;
  const oldestFirst = within(scope, spendings, nowMs).sort((a, b) => a.atMs - b.atMs);
  for (const one of oldestFirst) {
    if (one.id === mine.id) continue;
    over -= one[limit.unit];
    if (over <= 0) return Math.max(1, one.atMs + limit.windowMs - nowMs);
  }
  return limit.windowMs;
}

function exhausted(limit: BudgetLimit, retryAfterMs: number): CapError {
  return new CapError('CAP_BUDGET_EXHAUSTED', `the budget of ${formatBudget(limit)} is used up`, {
    hint: `it has room again in ${Math.ceil(retryAfterMs / 1000)} s`,
    retryAfterMs,
  });
}

/** Waiting would not help. */
function tooSmall(limit: BudgetLimit, most: Expense): CapError {
  const cost = limit.unit === 'usd' ? `$${most.usd.toFixed(4)}` : `${most.tokens} tokens`;
  return new CapError('CAP_USAGE', `one request may cost ${cost}, more than the budget of ${formatBudget(limit)}`, {
    hint: 'allow a larger budget, fewer output tokens (--max-tokens) or a coarser preset',
  });
}
