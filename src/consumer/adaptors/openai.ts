import OpenAI from 'openai';
import type { ResponseInputContent, ResponseUsage } from 'openai/resources/responses/responses';
import { type AdaptorAnswer, type AdaptorRequest, DEFAULT_MAX_OUTPUT_TOKENS, type EncodedImage } from '../adaptor.js';
import { CloudAdaptor, type CloudOptions, cutOff, noText } from './cloud.js';

/** OpenAI through its Responses API, streamed. */
export function openAiAdaptor(options: CloudOptions): CloudAdaptor {
  const client = new OpenAI({
    apiKey: options.apiKey,
    maxRetries: 2,
    ...(options.baseUrl === undefined ? {} : { baseURL: options.baseUrl }),
  });
  const { detail = 'high', model } = options;
  return new CloudAdaptor(
    {
      provider: 'openai',
      vendor: 'openai',
      keyVariable: 'OPENAI_API_KEY',
      send: (request, signal) => send(client, model, detail, request, signal),
    },
    options,
  );
}

async function send(
  client: OpenAI,
  model: string,
  detail: NonNullable<CloudOptions['detail']>,
  request: AdaptorRequest,
  signal: AbortSignal,
): Promise<AdaptorAnswer> {
  const images = request.images.map((image): ResponseInputContent => {
    return { type: 'input_image', image_url: dataUrl(image), detail };
  });
  const stream = await client.responses.create(
    {
      model,
      input: [{ role: 'user', content: [{ type: 'input_text', text: request.prompt }, ...images] }],
      ...(request.system === undefined ? {} : { instructions: request.system }),
      max_output_tokens: request.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
      stream: true,
      // Pictures of a screen are not left on the server, where the default keeps them for a month.
      store: false,
    },
    { signal },
  );
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

function usageOf(usage: ResponseUsage | undefined): Pick<AdaptorAnswer, 'usage'> {
  return usage ? { usage: { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens } } : {};
}

function streamError(message: string, code: string): Error {
  return new OpenAI.APIError(undefined, { message, code }, message, undefined);
}

export function dataUrl(image: EncodedImage): string {
  return `data:${image.mediaType};base64,${image.data.toString('base64')}`;
}
