import OpenAI from 'openai';
import { askChat, type ChatDialect, dataUrl } from './chat-completions.js';
import { CloudAdaptor, type CloudOptions } from './cloud.js';

/** Only what all of these servers take: data URLs in `image_url.url`, no `detail`, `max_tokens` and not its successor. */
const DIALECT: ChatDialect = {
  provider: 'openai-compatible',
  maxTokens: 'max_tokens',
  image: (image) => ({ type: 'image_url', image_url: { url: dataUrl(image) } }),
};

/** Any server with OpenAI's Chat Completions: vLLM, SGLang, Ollama, llama.cpp, LM Studio. */
export function openAiCompatibleAdaptor(options: CloudOptions & { readonly baseUrl: string }): CloudAdaptor {
  const client = strangersClient(options.apiKey, options.baseUrl);
  return new CloudAdaptor(
    {
      provider: DIALECT.provider,
      vendor: 'open-weights',
      keyVariable: 'OPENAI_COMPATIBLE_API_KEY',
      send: (request, signal) => askChat(client, options.model, DIALECT, request, signal),
    },
    options,
  );
}

/** OpenAI's SDK for a server that is not OpenAI's, which is not told the account named in the environment. */
export function strangersClient(apiKey: string, baseURL: string): OpenAI {
  // What OPENAI_LOG=debug would write has whatever a server answers, the key if it echoes that.
  return new OpenAI({ apiKey, baseURL, maxRetries: 2, logLevel: 'off', organization: null, project: null });
}
