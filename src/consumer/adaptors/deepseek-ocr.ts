import { CapError } from '../../core/index.js';
import type { AdaptorAnswer, AdaptorRequest } from '../adaptor.js';
import { askChat, type ChatDialect, dataUrl } from './chat-completions.js';
import { CloudAdaptor, type CloudOptions } from './cloud.js';
import { readGrounding } from './deepseek-grounding.js';
import { strangersClient } from './openai-compatible.js';

/** The prompt that the model was trained on for pages, with the place of everything it reads. */
const DEEPSEEK_OCR_PROMPT = '<|grounding|>Convert the document to markdown.';

/**
 * What DeepSeek's recipe for vLLM sets: no chance, tags that are kept, and the processor that ends loops of
 * 30 tokens within 90 but lets table cells (128821 and 128822) repeat. A server without it ignores these.
 */
const DIALECT: ChatDialect = {
  provider: 'deepseek-ocr',
  maxTokens: 'max_tokens',
  image: (image) => ({ type: 'image_url', image_url: { url: dataUrl(image) } }),
  imagesFirst: true,
  extra: {
    temperature: 0,
    skip_special_tokens: false,
    vllm_xargs: { ngram_size: 30, window_size: 90, whitelist_token_ids: [128_821, 128_822] },
  },
};

/**
 * DeepSeek-OCR behind vLLM. It reads a page by one of the prompts it was trained on, and holds no
 * conversation: what is asked has to be such a prompt, and system prompt, history and schema are refused.
 */
export function deepSeekOcrAdaptor(options: CloudOptions & { readonly baseUrl: string }): CloudAdaptor {
  const client = strangersClient(options.apiKey, options.baseUrl);
  return new CloudAdaptor(
    {
      provider: DIALECT.provider,
      vendor: 'open-weights',
      keyVariable: 'DEEPSEEK_OCR_API_KEY',
      fixedPrompt: DEEPSEEK_OCR_PROMPT,
      send: async (request, signal) => {
        refuseConversation(request);
        const { onText, ...silent } = request;
        // Tags would be shown half arrived; text with places is shown when it has been read.
        const grounded = /<\|(grounding|ref)\|>/.test(request.prompt);
        const answer = await askChat(client, options.model, DIALECT, withPrompt(grounded ? silent : request), signal);
        if (!grounded) return withoutEnd(answer);
        const [image] = request.images;
        const { text, lines } = readGrounding(withoutEnd(answer).text, image ?? { width: 0, height: 0 });
        onText?.(text);
        // With several images nothing says which one a place lies in.
        return { ...answer, text, ...(request.images.length === 1 ? { lines } : {}) };
      },
    },
    options,
  );
}

/** vLLM puts one `<image>` for each picture itself; a prompt as DeepSeek writes it has one, too. */
function withPrompt(request: AdaptorRequest): AdaptorRequest {
  return { ...request, prompt: request.prompt.replace(/^(<image>\n?)+/, '') };
}

/** With the tags the token that ends an answer is kept, too. */
function withoutEnd(answer: AdaptorAnswer): AdaptorAnswer {
  return { ...answer, text: answer.text.replace(/<｜end▁of▁sentence｜>$/, '') };
}

function refuseConversation({ system, history, schema }: AdaptorRequest): void {
  const idle = [
    [system, 'system prompt'],
    [history, 'memory'],
    [schema, 'schema'],
  ].find(([given]) => given !== undefined);
  if (!idle) return;
  throw new CapError('CAP_USAGE', `DeepSeek-OCR reads pages and takes no ${String(idle[1])}`, {
    hint: 'use another provider for questions',
  });
}
