import { type Adaptor, type AdaptorRequest, DEFAULT_MAX_OUTPUT_TOKENS, type TokenUsage } from '../adaptor.js';

/** Formulas of images are within 2 % of what is billed. */
const IMAGE_MARGIN = 1.05;
/** What providers add to every request. */
const FRAME_TOKENS = 256;
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
