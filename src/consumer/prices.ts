import type { TokenUsage } from './adaptor.js';
import { plainName } from './models.js';

/** What a model costs, in US dollars for a million tokens. */
export interface Price {
  readonly inputUsd: number;
  /** Of input that the provider had kept. @default inputUsd */
  readonly cachedUsd?: number;
  readonly outputUsd: number;
}

/** A row of PRICES. Providers change them: each says where it stood, and when. */
export interface PriceRow extends Price {
  readonly pattern: RegExp;
  readonly source: string;
  readonly date: string;
}

const MILLION = 1e6;

function row(
  pattern: RegExp,
  [inputUsd, cachedUsd, outputUsd]: readonly [number, number, number],
  source: string,
): PriceRow {
  return { pattern, inputUsd, cachedUsd, outputUsd, source, date: '2026-11-21' };
}

const OPENAI = "OpenAI's page of the model";
const OPENAI_LIST = "OpenAI's price list, as others quote it";
const GOOGLE_LIST = "Google's price list; until 2026-12-31, then twice as much";
const ANTHROPIC = "Anthropic's page of the model";

/** Standard prices of short prompts, which those about pictures are. The first row that matches counts. */
export const PRICES: readonly PriceRow[] = [
  row(/^gpt-6-astra/, [10, 1, 50], OPENAI_LIST),
  row(/^gpt-6\.1-sol/, [2, 0.1, 10], OPENAI_LIST),
  row(/^gpt-6-sol/, [2, 0.2, 10], OPENAI_LIST),
  row(/^gpt-6-luna/, [0.1, 0.01, 0.5], OPENAI_LIST),
  row(/^gpt-5\.6-luna/, [0.2, 0.02, 1.2], OPENAI),
  row(/^gpt-5\.6-terra/, [2, 0.2, 12], OPENAI_LIST),
  row(/^gpt-5\.6(-sol|$)/, [5, 0.5, 30], OPENAI_LIST),
  row(/^gemini-3\.8-flash/, [0.75, 0.075, 3.75], GOOGLE_LIST),
  row(/^claude-fable-5-1/, [10, 1, 50], ANTHROPIC),
  row(/^claude-opus-5-5/, [4, 0.2, 20], ANTHROPIC),
  row(/^claude-opus-5(-2\d{7})?$/, [5, 0.5, 25], ANTHROPIC),
  row(/^claude-sonnet-5/, [2, 0.2, 10], ANTHROPIC),
  row(/^claude-haiku-5-5/, [0.1, 0.01, 0.5], `${ANTHROPIC}, "from"`),
  row(/^claude-haiku-4-5/, [1, 0.1, 5], ANTHROPIC),
];

/** The price of a model; undefined when it is not known. */
export function priceOf(model: string): PriceRow | undefined {
  const name = plainName(model);
  return PRICES.find(({ pattern }) => pattern.test(name));
}

/** What a request cost, or will. */
export function costUsd({ inputTokens, cachedTokens = 0, outputTokens }: TokenUsage, price: Price): number {
  const { inputUsd, cachedUsd = inputUsd, outputUsd } = price;
  return ((inputTokens - cachedTokens) * inputUsd + cachedTokens * cachedUsd + outputTokens * outputUsd) / MILLION;
}
