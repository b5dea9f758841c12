import Anthropic from '@anthropic-ai/sdk';
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import { CapError } from '../../core/index.js';
import {
  type AdaptorAnswer,
  type AdaptorRequest,
  type AnswerSchema,
  DEFAULT_MAX_OUTPUT_TOKENS,
  type EncodedImage,
  type TokenUsage,
} from '../adaptor.js';
import { CloudAdaptor, type CloudOptions, noText } from './cloud.js';

/**
 * What stays the same from picture to picture is kept for five minutes and then read at a tenth of its price.
 * The pictures come after it: each is shown once, and keeping one costs a quarter more than showing it.
 */
const KEPT = { type: 'ephemeral' } as const;

/**
 * Anthropic's Messages API, streamed. Images stand before the text, as Anthropic advises; there is no
 * temperature, which the interface refuses since its version 2026-10-21.
 */
export function anthropicAdaptor(options: CloudOptions): CloudAdaptor {
  const client = new Anthropic({
    apiKey: options.apiKey,
    // Only the key that was asked for, not also a token that may stand in the environment.
    authToken: null,
    maxRetries: 2,
    // What ANTHROPIC_LOG=debug would write has whatever a server answers, the key if it echoes that.
    logLevel: 'off',
    ...(options.baseUrl === undefined ? {} : { baseURL: options.baseUrl }),
  });
  return new CloudAdaptor(
    {
      provider: 'anthropic',
      vendor: 'anthropic',
      keyVariable: 'ANTHROPIC_API_KEY',
      send: (request, signal) => send(client, options.model, request, signal),
    },
    options,
  );
}

async function send(
  client: Anthropic,
  model: string,
  request: AdaptorRequest,
  signal: AbortSignal,
): Promise<AdaptorAnswer> {
  const { schema, system, history = [] } = request;
  const stream = client.messages.stream(
    {
      model,
      max_tokens: request.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
      ...(system === undefined ? {} : { system: [{ type: 'text', text: system, cache_control: KEPT }] }),
      ...(schema === undefined ? {} : { output_config: { format: formatOf(schema) } }),
      messages: [
        ...history.flatMap(({ prompt, answer }): Anthropic.MessageParam[] => [
          { role: 'user', content: prompt },
          { role: 'assistant', content: answer },
        ]),
        { role: 'user', content: [...request.images.map(imageBlock), { type: 'text', text: request.prompt }] },
      ],
    },
    { signal },
  );
  if (request.onText) stream.on('text', request.onText);
  const message = await stream.finalMessage();
  const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  if (text === '') {
    const reason = message.stop_reason === 'max_tokens' ? 'all output tokens were used' : message.stop_reason;
    throw noText('anthropic', reason ?? 'the model wrote nothing');
  }
  return { text, model: message.model, usage: usageOf(message.usage) };
}

function imageBlock(image: EncodedImage): Anthropic.ImageBlockParam {
  return {
    type: 'image',
    source: { type: 'base64', media_type: image.mediaType, data: image.data.toString('base64') },
  };
}

/** Anthropic takes a part of JSON Schema; the SDK turns what is beyond it into descriptions. We validate all of it. */
function formatOf(schema: AnswerSchema): Anthropic.JSONOutputFormat {
  try {
    return { type: 'json_schema', schema: transformJSONSchema({ ...schema }) };
  } catch (error) {
    throw new CapError('CAP_USAGE', `Anthropic does not take this schema: ${(error as Error).message}`, {
      hint: 'give every property a type',
    });
  }
}

function usageOf(usage: Anthropic.Usage): TokenUsage {
  const read = usage.cache_read_input_tokens ?? 0;
  return {
    inputTokens: usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + read,
    outputTokens: usage.output_tokens,
    ...(read > 0 ? { cachedTokens: read } : {}),
  };
}
