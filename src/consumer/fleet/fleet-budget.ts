import type { Redis } from 'ioredis';
import { CapError } from '../../core/index.js';
import { type BudgetLimit, type Expense, formatBudget } from '../budget/budget-limit.js';
import { KEY_PREFIX } from './fleet-job.js';
import { RESERVE, SETTLE } from './scripts.js';

const LIMITS = `${KEY_PREFIX}:budget`;
/** The longest window, and what a stretch of it may reach back. */
const KEPT_MS = 2 * 86_400_000;
const PER_DOLLAR = 1e9;

/**
 * What all workers of a queue may spend together. The limits lie in the queue itself, so that a worker which was
 * told of none keeps to them, too; what a worker that died had reserved stays spent, as it may have been billed.
 */
export class FleetBudget {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Replaces the limits of the same unit and window; none at all lifts every limit. */
  async limit(limits: readonly BudgetLimit[]): Promise<void> {
    if (limits.length === 0) await this.#redis.del(LIMITS);
    for (const { amount, unit, windowMs } of limits) {
      await this.#redis.hset(LIMITS, `${unit}:${windowMs}`, Math.floor(unit === 'usd' ? amount * PER_DOLLAR : amount));
    }
  }

  async limits(): Promise<BudgetLimit[]> {
    return Object.entries(await this.#redis.hgetall(LIMITS)).map(([field, amount]) => limitOf(field, amount));
  }

  /**
   * Takes the most that an attempt can cost out of the budget; of two calls for one attempt the second does nothing.
   * @throws CAP_BUDGET_EXHAUSTED with the time when it may fit, CAP_USAGE when it never does or has no price
   */
  async reserve(attempt: string, { tokens, usd }: Expense, isPriced: boolean): Promise<void> {
    const cost = isPriced ? Math.ceil(usd * PER_DOLLAR) : '';
    const keys = [LIMITS, reservedKey(attempt)];
    const [outcome, field = '', amount = '', number] = (await this.#redis.eval(
      RESERVE,
      2,
      ...keys,
      tokens,
      cost,
      KEPT_MS,
    )) as [string, string?, string?, number?];
    if (outcome === 'reserved') return;
    throw refusal(outcome, formatBudget(limitOf(field, amount)), number ?? 0);
  }

  /** What was spent in the end: gives the rest back. */
  async settle(attempt: string, { tokens, usd }: Expense): Promise<void> {
    await this.#redis.eval(SETTLE, 2, LIMITS, reservedKey(attempt), tokens, Math.ceil(usd * PER_DOLLAR));
  }
}

const reservedKey = (attempt: string): string => `${KEY_PREFIX}:reserved:${attempt}`;

function limitOf(field: string, amount: string): BudgetLimit {
  const [unit, windowMs] = field.split(':');
  return unit === 'usd'
    ? { unit, amount: Number(amount) / PER_DOLLAR, windowMs: Number(windowMs) }
    : { unit: 'tokens', amount: Number(amount), windowMs: Number(windowMs) };
}

function refusal(outcome: string, budget: string, number: number): CapError {
  if (outcome === 'full') {
    return new CapError('CAP_BUDGET_EXHAUSTED', `the workers' budget of ${budget} is used up`, {
      hint: `it has room again in ${Math.ceil(number / 1000)} s`,
      retryAfterMs: number,
    });
  }
  const isUnpriced = outcome === 'unpriced';
  const message = isUnpriced
    ? `the workers' budget is ${budget}, and the price of the model is not known`
    : `one request may cost more than the workers' budget of ${budget}`;
  return new CapError('CAP_USAGE', message, {
    hint: isUnpriced ? 'start the workers with --price IN/OUT' : 'start the workers with a larger --budget',
  });
}
