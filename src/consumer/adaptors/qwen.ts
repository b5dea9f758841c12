import { askChat, type ChatDialect, dataUrl } from './chat-completions.js';
import { CloudAdaptor, type CloudOptions } from './cloud.js';
import { strangersClient } from './openai-compatible.js';

/** Model Studio, once DashScope, outside of China. */
const MODEL_STUDIO = 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1';

/** What servers of one's own take: vLLM, SGLang. */
const SELF_HOSTED: ChatDialect = {
  provider: 'qwen',
  maxTokens: 'max_tokens',
  image: (image) => ({ type: 'image_url', image_url: { url: dataUrl(image) } }),
};

/**
 * Without the first, Model Studio looks at a twelfth of the pixels that the models can read. Thinking is what
 * its newer models do unless told otherwise, and what it refuses together with a schema.
 */
const DASHSCOPE: ChatDialect = {
  ...SELF_HOSTED,
  extra: { vl_high_resolution_images: true, enable_thinking: false },
};

/** Qwen-VL: Alibaba's Model Studio, or a server of one's own at a base URL. */
export function qwenAdaptor(options: CloudOptions): CloudAdaptor {
  const { baseUrl = MODEL_STUDIO, model } = options;
  const client = strangersClient(options.apiKey, baseUrl);
  const hosted = isModelStudio(baseUrl);
  const dialect = hosted ? DASHSCOPE : SELF_HOSTED;
  return new CloudAdaptor(
    {
      provider: 'qwen',
      vendor: hosted ? 'qwen' : 'open-weights',
      keyVariable: 'DASHSCOPE_API_KEY',
      send: (request, signal) => askChat(client, model, dialect, request, signal),
    },
    options,
  );
}

/** Its regions have hosts of their own, and all of them this path. */
export function isModelStudio(baseUrl: string | undefined): boolean {
  return baseUrl === undefined || new URL(baseUrl).pathname.startsWith('/compatible-mode/');
}
