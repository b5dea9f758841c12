import OpenAI from 'openai';
import type { ChatCompletionContentPart, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { type AdaptorAnswer, type AdaptorRequest, DEFAULT_MAX_OUTPUT_TOKENS, type TokenUsage } from '../adaptor.js';
import { CloudAdaptor, type CloudOptions, cutOff, noText } from './cloud.js';
import { dataUrl } from './openai.js';

const PROVIDER = 'openai-compatible';

/**
 * Any server with OpenAI's Chat Completions: vLLM, SGLang, Ollama, llama.cpp, LM Studio. Only what all of
 * them take is sent: data URLs in `image_url.url`, no `detail`, `max_tokens` and not its successor.
 */
export function openAiCompatibleAdaptor(options: CloudOptions & { readonly baseUrl: string }): CloudAdaptor {
  const client = new OpenAI({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 2,
    // The SDK would otherwise tell a stranger's server the OpenAI account named in the environment.
    organization: null,
    project: null,
  });
  return new CloudAdaptor(
    {
      provider: PROVIDER,
      vendor: 'open-weights',
      keyVariable: 'OPENAI_COMPATIBLE_API_KEY',
      send: (request, signal) => send(client, options.model, request, signal),
    },
    options,
  );
}

async function send(
  client: OpenAI,
  model: string,
  request: AdaptorRequest,
  signal: AbortSignal,
): Promise<AdaptorAnswer> {
  const stream = await client.chat.completions.create(
    {
      model,
      messages: messagesOf(request),
      max_tokens: request.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
      stream: true,
      stream_options: { include_usage: true },
    },
    { signal },
  );
  let text = '';
  let servedBy = model;
  let finish: string | undefined;
  let usage: TokenUsage | undefined;
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    const delta = choice?.delta.content;
    if (delta) {
      text += delta;
      request.onText?.(delta);
    }
    servedBy = chunk.model || servedBy;
    finish = choice?.finish_reason ?? finish;
    if (chunk.usage) usage = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens };
  }
  if (finish === undefined) throw cutOff(PROVIDER);
  if (text === '')
    throw noText(PROVIDER, finish === 'length' ? 'all output tokens were used' : 'the model wrote nothing');
  return { text, model: servedBy, ...(usage ? { usage } : {}) };
}

function messagesOf(request: AdaptorRequest): ChatCompletionMessageParam[] {
  const images = request.images.map((image): ChatCompletionContentPart => {
    return { type: 'image_url', image_url: { url: dataUrl(image) } };
  });
  const user: ChatCompletionMessageParam = {
    role: 'user',
    content: [{ type: 'text', text: request.prompt }, ...images],
  };
  return request.system === undefined ? [user] : [{ role: 'system', content: request.system }, user];
}
