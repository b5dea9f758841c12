import OpenAI from 'openai';
import type {
  ResponseCreateParamsStreaming,
  ResponseInput,
  ResponseInputContent,
  ResponseUsage,
} from 'openai/resources/responses/responses';
import { type AdaptorAnswer, type AdaptorRequest, DEFAULT_MAX_OUTPUT_TOKENS } from '../adaptor.js';
import type { ImageDetail } from '../tokens/formula.js';
import { dataUrl } from './chat-completions.js';
import { cutOff, noText } from './cloud.js';
import { promptCacheKey } from './prompt-cache-key.js';
import { isStrictSchema } from './strict-schema.js';

/** One request through OpenAI's Responses API, streamed. */
export async function askResponses(
  client: OpenAI,
  model: string,
  detail: ImageDetail,
  request: AdaptorRequest,
  signal: AbortSignal,
): Promise<AdaptorAnswer> {
  const stream = await client.responses.create(bodyOf(model, detail, request), { signal });
  let text = '';
  for await (const event of stream) {
    if (event.type === 'response.output_text.delta' || event.type === 'response.refusal.delta') {
      text += event.delta;
      request.onText?.(event.delta);
    } else if (event.type === 'response.completed' || event.type === 'response.incomplete') {
      const { response } = event;
      if (text === '') throw noText('openai', response.incomplete_details?.reason ?? 'the model wrote nothing');
      return { text, model: response.model, ...usageOf(response.usage) };
    } else if (event.type === 'response.failed') {
      const { error } = event.response;
      throw streamError(error?.message ?? 'the response failed', error?.code ?? 'server_error');
    } else if (event.type === 'error') {
      throw streamError(event.message, event.code ?? 'server_error');
    }
  }
  throw cutOff('openai');
}

function bodyOf(model: string, detail: ImageDetail, request: AdaptorRequest): ResponseCreateParamsStreaming {
  return {
    model,
    input: inputOf(detail, request),
    ...(request.system === undefined ? {} : { instructions: request.system }),
    ...(request.schema === undefined ? {} : { text: { format: formatOf(request.schema) } }),
    max_output_tokens: request.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
    prompt_cache_key: promptCacheKey(model, request),
    stream: true,
    // Pictures of a screen are not left on the server, where the default keeps them for a month.
    store: false,
  };
}

function inputOf(detail: ImageDetail, request: AdaptorRequest): ResponseInput {
  const images = request.images.map((image): ResponseInputContent => {
    return { type: 'input_image', image_url: dataUrl(image), detail };
  });
  return [
    ...(request.history ?? []).flatMap(
      ({ prompt, answer }): ResponseInput => [
        { role: 'user', content: prompt },
        { role: 'assistant', content: answer },
      ],
    ),
    { role: 'user', content: [{ type: 'input_text', text: request.prompt }, ...images] },
  ];
}

function formatOf(
  schema: NonNullable<AdaptorRequest['schema']>,
): NonNullable<NonNullable<ResponseCreateParamsStreaming['text']>['format']> {
  return { type: 'json_schema', name: 'answer', schema: { ...schema }, strict: isStrictSchema(schema) };
}

function usageOf(usage: ResponseUsage | undefined): Pick<AdaptorAnswer, 'usage'> {
  if (!usage) return {};
  const cachedTokens = usage.input_tokens_details?.cached_tokens;
  return {
    usage: {
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      ...(cachedTokens ? { cachedTokens } : {}),
    },
  };
}

function streamError(message: string, code: string): Error {
  return new OpenAI.APIError(undefined, { message, code }, message, undefined);
}
