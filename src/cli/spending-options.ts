import type { Command } from 'commander';
import { unexpected } from '../core/index.js';
import { type BudgetLimit, parseBudget, RequestQueue } from '../session/index.js';
import { duration, integer } from './parse-options.js';

/** The options that bound what a watch spends and how fast. */
export interface SpendingFlags {
  readonly budget?: readonly BudgetLimit[];
  readonly streamBudget?: readonly BudgetLimit[];
  readonly price?: { readonly inputUsd: number; readonly outputUsd: number };
  readonly concurrency?: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly staleAfter?: number;
}

export function addSpendingOptions(command: Command): Command {
  return command
    .option(
      '--budget <amount>',
      'most to spend in all, such as 200k-tokens/h or $2/day; repeatable',
      budget('--budget'),
    )
    .option('--stream-budget <amount>', 'the same for this stream alone', budget('--stream-budget'))
    .option('--price <in/out>', 'US dollars for a million tokens, where the model is not known: 0.5/3', price)
    .option('--concurrency <n>', 'requests under way at the same time', integer('--concurrency', 1, 64))
    .option('--requests-per-minute <n>', 'as the provider allows', integer('--requests-per-minute', 1, 1_000_000))
    .option('--tokens-per-minute <n>', 'as the provider allows', integer('--tokens-per-minute', 1, 100_000_000))
    .option('--stale-after <time>', 'a frame that is older is not sent', duration('--stale-after'));
}

/** The part of the options that goes with the session. */
export function toBudget({ budget: limits, streamBudget: streamLimits }: SpendingFlags) {
  if (!limits && !streamLimits) return {};
  return { budget: { ...(limits ? { limits } : {}), ...(streamLimits ? { streamLimits } : {}) } };
}

/** The part of the options that goes with the watch. */
export function toSpending({ price, concurrency, requestsPerMinute, tokensPerMinute, staleAfter }: SpendingFlags) {
  const rates = {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
  };
  return {
    ...(price === undefined ? {} : { price }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(staleAfter === undefined ? {} : { staleAfterMs: staleAfter }),
    ...(Object.keys(rates).length === 0 ? {} : { queue: new RequestQueue(rates) }),
  };
}

function budget(name: string) {
  return (text: string, before: readonly BudgetLimit[] = []): readonly BudgetLimit[] => [
    ...before,
    parseBudget(text, name),
  ];
}

/** A commander parser for what a million tokens cost. */
export function price(text: string) {
  const match = /^(\d{1,5}(?:\.\d{1,6})?)\/(\d{1,5}(?:\.\d{1,6})?)$/.exec(text);
  if (!match) throw unexpected('--price', 'dollars for a million tokens in and out, such as 0.5/3', text);
  return { inputUsd: Number(match[1]), outputUsd: Number(match[2]) };
}
