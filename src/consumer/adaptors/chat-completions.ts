import type OpenAI from 'openai';
import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import {
  type AdaptorAnswer,
  type AdaptorRequest,
  DEFAULT_MAX_OUTPUT_TOKENS,
  type EncodedImage,
  type TokenUsage,
} from '../adaptor.js';
import { cutOff, noText } from './cloud.js';
import { isStrictSchema } from './strict-schema.js';

/** What differs between servers with OpenAI's Chat Completions. */
export interface ChatDialect {
  readonly provider: string;
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens';
  readonly image: (image: EncodedImage) => ChatCompletionContentPart;
  /** @default false */
  readonly imagesFirst?: boolean;
  /** Fields of the body that this server alone knows. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** One request through Chat Completions, streamed. */
export async function askChat(
  client: OpenAI,
  model: string,
  dialect: ChatDialect,
  request: AdaptorRequest,
  signal: AbortSignal,
): Promise<AdaptorAnswer> {
  const body: ChatCompletionCreateParamsStreaming = {
    model,
    messages: messagesOf(request, dialect),
    [dialect.maxTokens]: request.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
    stream: true,
    stream_options: { include_usage: true },
    ...(request.schema === undefined ? {} : { response_format: responseFormat(request.schema) }),
    ...dialect.extra,
  };
  const stream = await client.chat.completions.create(body, { signal });
  let text = '';
  let servedBy = model;
  let finish: string | undefined;
  let usage: TokenUsage | undefined;
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    const delta = choice?.delta.content || choice?.delta.refusal;
    if (delta) {
      text += delta;
      request.onText?.(delta);
    }
    servedBy = chunk.model || servedBy;
    finish = choice?.finish_reason ?? finish;
    if (chunk.usage) usage = usageOf(chunk.usage);
  }
  if (finish === undefined) throw cutOff(dialect.provider);
  if (text === '')
    throw noText(dialect.provider, finish === 'length' ? 'all output tokens were used' : 'the model wrote nothing');
  return { text, model: servedBy, ...(usage ? { usage } : {}) };
}

export function dataUrl(image: EncodedImage): string {
  return `data:${image.mediaType};base64,${image.data.toString('base64')}`;
}

function messagesOf(request: AdaptorRequest, dialect: ChatDialect): ChatCompletionMessageParam[] {
  const text: ChatCompletionContentPart = { type: 'text', text: request.prompt };
  const images = request.images.map(dialect.image);
  const content = dialect.imagesFirst ? [...images, text] : [text, ...images];
  return [
    ...(request.system === undefined ? [] : [{ role: 'system', content: request.system } as const]),
    ...(request.history ?? []).flatMap(({ prompt, answer }): ChatCompletionMessageParam[] => [
      { role: 'user', content: prompt },
      { role: 'assistant', content: answer },
    ]),
    { role: 'user', content },
  ];
}

function responseFormat(
  schema: NonNullable<AdaptorRequest['schema']>,
): NonNullable<ChatCompletionCreateParamsStreaming['response_format']> {
  return {
    type: 'json_schema',
    json_schema: { name: 'answer', schema: { ...schema }, strict: isStrictSchema(schema) },
  };
}

function usageOf(usage: CompletionUsage): TokenUsage {
  const cachedTokens = usage.prompt_tokens_details?.cached_tokens;
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    ...(cachedTokens ? { cachedTokens } : {}),
  };
}
