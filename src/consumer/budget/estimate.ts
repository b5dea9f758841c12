import { type Adaptor, type AdaptorRequest, DEFAULT_MAX_OUTPUT_TOKENS, type TokenUsage } from '../adaptor.js';
import { costUsd, type Price } from '../prices.js';
import type { Expense } from './budget-limit.js';

/** Formulas of images are within 2 % of what is billed. */
const IMAGE_MARGIN = 1.05;
/** What providers add to every request. */
const FRAME_TOKENS = 256;
/** Writing to a provider's cache is billed at up to this much more. */
const CACHE_WRITE = 1.25;
/** An answer that does not satisfy its schema is asked for once more. */
const TRIES_WITH_SCHEMA = 2;

/** Most tokens that a request can be billed for: a token of text is a byte at least, and the longest answer counts. */
export function estimateRequest(request: AdaptorRequest, adaptor: Adaptor): TokenUsage {
  const { prompt, system = '', history = [], schema, images } = request;
  const texts = [prompt, system, ...history.flatMap((exchange) => [exchange.prompt, exchange.answer])];
  if (schema) texts.push(JSON.stringify(schema));
  const textTokens = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const imageTokens = images.reduce((sum, image) => sum + adaptor.imageCost(image).tokens, 0);
  const inputTokens = Math.ceil(imageTokens * IMAGE_MARGIN) + textTokens + FRAME_TOKENS;
  const outputTokens = request.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS;
  if (!schema) return { inputTokens, outputTokens };
  // The second try is told the first answer.
  return {
    inputTokens: TRIES_WITH_SCHEMA * inputTokens + outputTokens,
    outputTokens: TRIES_WITH_SCHEMA * outputTokens,
  };
}

/** What was spent; in dollars where the price is known. */
export function expenseOf(usage: TokenUsage, price: Price | undefined): Expense {
  return { tokens: usage.inputTokens + usage.outputTokens, usd: price ? costUsd(usage, price) : 0 };
}

/** The most that a request with this estimate can cost. */
export function mostExpense(estimate: TokenUsage, price: Price | undefined): Expense {
  const { tokens, usd } = expenseOf(estimate, price);
  return { tokens, usd: usd * CACHE_WRITE };
}
