import OpenAI from 'openai';
import { askChat, type ChatDialect, dataUrl } from './chat-completions.js';
import { CloudAdaptor, type CloudOptions } from './cloud.js';
import { askResponses } from './openai-responses.js';
import { promptCacheKey } from './prompt-cache-key.js';

/** OpenAI's two interfaces for the same models. */
export type OpenAiApi = 'responses' | 'chat';

/** OpenAI through its Responses API, or through Chat Completions. */
export function openAiAdaptor(options: CloudOptions & { readonly api?: OpenAiApi }): CloudAdaptor {
  const client = new OpenAI({
    apiKey: options.apiKey,
    maxRetries: 2,
    // What OPENAI_LOG=debug would write has whatever a server answers, the key if it echoes that.
    logLevel: 'off',
    ...(options.baseUrl === undefined ? {} : { baseURL: options.baseUrl }),
  });
  const { detail = 'high', model, api = 'responses' } = options;
  const chat: ChatDialect = {
    provider: 'openai',
    maxTokens: 'max_completion_tokens',
    image: (image) => ({ type: 'image_url', image_url: { url: dataUrl(image), detail: detail as 'high' } }),
  };
  return new CloudAdaptor(
    {
      provider: 'openai',
      vendor: 'openai',
      keyVariable: 'OPENAI_API_KEY',
      send: (request, signal) => {
        if (api === 'responses') return askResponses(client, model, detail, request, signal);
        const extra = { store: false, prompt_cache_key: promptCacheKey(model, request) };
        return askChat(client, model, { ...chat, extra }, request, signal);
      },
    },
    options,
  );
}
