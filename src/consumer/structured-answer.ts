import { CapError } from '../core/index.js';
import type { AdaptorAnswer, AdaptorRequest, AnswerSchema, TokenUsage } from './adaptor.js';
import { checkSchema, parseAnswer } from './answer-schema.js';

type Ask = (request: AdaptorRequest) => Promise<AdaptorAnswer>;

/**
 * Asks for an answer that satisfies `request.schema`, and once more, with the picture and what was wrong, when
 * the first does not. Nobody has a use for half a JSON object: `onText` gets the good answer in one piece.
 *
 * @throws CAP_ANSWER_INVALID when the second answer does not satisfy the schema either
 */
export async function askForData(ask: Ask, request: AdaptorRequest & { schema: AnswerSchema }): Promise<AdaptorAnswer> {
  const { onText, ...silent } = request;
  const { schema } = request;
  checkSchema(schema);
  const first = await ask(silent);
  let answer = first;
  let parsed = parseAnswer(first.text, schema);
  if ('problem' in parsed) {
    request.onDiscarded?.(first.usage);
    const second = await ask(repairOf(silent, first.text, parsed.problem));
    answer = { ...second, ...bothUsages(first, second) };
    parsed = parseAnswer(second.text, schema);
  }
  if ('problem' in parsed) {
    throw new CapError('CAP_ANSWER_INVALID', `the answer does not satisfy the schema: ${parsed.problem}`, {
      hint: 'allow more output tokens, simplify the schema or use a larger model',
    });
  }
  onText?.(answer.text);
  return { ...answer, data: parsed.data };
}

function repairOf(request: AdaptorRequest, answer: string, problem: string): AdaptorRequest {
  const { prompt, history = [], schema } = request;
  return {
    ...request,
    history: [...history, { prompt, answer }],
    prompt: `That answer does not satisfy the JSON schema: ${problem}. Answer again, with the JSON alone, by this schema: ${JSON.stringify(schema)}`,
  };
}

/** Both requests are billed. */
function bothUsages(first: AdaptorAnswer, second: AdaptorAnswer): { usage?: TokenUsage } {
  if (!first.usage || !second.usage) return {};
  const [a, b] = [first.usage, second.usage];
  const cachedTokens = (a.cachedTokens ?? 0) + (b.cachedTokens ?? 0);
  return {
    usage: {
      inputTokens: a.inputTokens + b.inputTokens,
      outputTokens: a.outputTokens + b.outputTokens,
      ...(a.cachedTokens === undefined && b.cachedTokens === undefined ? {} : { cachedTokens }),
    },
  };
}
