import { unexpected } from '../../core/index.js';

/** Most that may be spent within any stretch of time so long. */
export interface BudgetLimit {
  readonly amount: number;
  readonly unit: 'tokens' | 'usd';
  /** At most a day. */
  readonly windowMs: number;
}

/** Tokens, and US dollars where the price is known. */
export interface Expense {
  readonly tokens: number;
  readonly usd: number;
}

const WINDOWS: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, hour: 3_600_000, day: 86_400_000 };
const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6 };

/** Parses `200k-tokens/h`, `1.5M-tokens/day`, `$2/day`. Throws CAP_USAGE for anything else. */
export function parseBudget(text: string, name = 'the budget'): BudgetLimit {
  const match = /^(?:(\d{1,9}(?:\.\d{1,6})?)([km]?)-?tokens|\$(\d{1,9}(?:\.\d{1,6})?))\/(min|h|hour|day)$/i.exec(text);
  const [, tokens, factor = '', usd, window = ''] = match ?? [];
  const amount = usd === undefined ? Number(tokens) * (FACTORS[factor.toLowerCase()] ?? 1) : Number(usd);
  if (!(amount > 0)) throw unexpected(name, 'a budget such as 200k-tokens/h or $2/day', text);
  return { amount, unit: usd === undefined ? 'tokens' : 'usd', windowMs: WINDOWS[window.toLowerCase()] ?? 0 };
}

/** `200k tokens an hour`, for messages. */
export function formatBudget({ amount, unit, windowMs }: BudgetLimit): string {
  const span = windowMs === WINDOWS.day ? 'a day' : windowMs === WINDOWS.h ? 'an hour' : 'a minute';
  return `${unit === 'usd' ? `$${amount}` : `${amount} tokens`} ${span}`;
}
