import Anthropic from '@anthropic-ai/sdk';
import { type AdaptorAnswer, type AdaptorRequest, DEFAULT_MAX_OUTPUT_TOKENS } from '../adaptor.js';
import { CloudAdaptor, type CloudOptions, noText } from './cloud.js';

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
  const images = request.images.map((image): Anthropic.ImageBlockParam => {
    return {
      type: 'image',
      source: { type: 'base64', media_type: image.mediaType, data: image.data.toString('base64') },
    };
  });
  const stream = client.messages.stream(
    {
      model,
      max_tokens: request.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
      ...(request.system === undefined ? {} : { system: request.system }),
      messages: [{ role: 'user', content: [...images, { type: 'text', text: request.prompt }] }],
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
  const { usage } = message;
  const cached = (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0);
  return {
    text,
    model: message.model,
    usage: { inputTokens: usage.input_tokens + cached, outputTokens: usage.output_tokens },
  };
}
