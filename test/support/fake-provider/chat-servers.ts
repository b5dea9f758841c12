import { chatApi } from './chat-completions.js';
import { openAiRefusal } from './openai-responses.js';

const WEB = ['image/png', 'image/jpeg', 'image/webp'];
/** llama.cpp reads no WebP. */
const COMMON = ['image/png', 'image/jpeg'];

/** What vLLM, llama.cpp, Ollama and LM Studio all take: vLLM knows no `detail`. */
export const commonServer = chatApi({
  name: 'chat',
  path: '/v1/chat/completions',
  models: ['Qwen/Qwen3-VL-8B-Instruct', 'deepseek-ai/DeepSeek-OCR'],
  fields: ['max_tokens'],
  imageFields: ['url'],
  mediaTypes: COMMON,
  // vLLM's --limit-mm-per-prompt.
  maxImages: 16,
});

/** OpenAI's own Chat Completions; in earlier models `max_tokens` was the limit, these refuse it. */
export const openAiChat = chatApi({
  name: 'openai-chat',
  path: '/openai/v1/chat/completions',
  models: ['gpt-5.6-luna', 'gpt-4o'],
  fields: ['max_completion_tokens', 'store', 'prompt_cache_key'],
  imageFields: ['url', 'detail'],
  mediaTypes: WEB,
  maxImages: 1500,
});

const DASHSCOPE_BASE64 = 10 * 1024 * 1024;

/** Alibaba's Model Studio, once DashScope. */
export const dashScope = chatApi({
  name: 'dashscope',
  path: '/compatible-mode/v1/chat/completions',
  models: ['qwen3-vl-plus', 'qwen3-vl-flash'],
  fields: ['max_tokens', 'vl_high_resolution_images', 'enable_thinking'],
  imageFields: ['url'],
  mediaTypes: WEB,
  maxImages: 250,
  checkImage({ width, height }, base64) {
    if (base64.length > DASHSCOPE_BASE64) throw openAiRefusal('Multimodal file size is too large');
    if (Math.min(width, height) <= 10) throw openAiRefusal('The image length and width should be larger than 10 px');
    if (Math.max(width, height) > 200 * Math.min(width, height))
      throw openAiRefusal('absolute aspect ratio must be smaller than 200');
  },
  check({ response_format, enable_thinking }) {
    if (response_format && enable_thinking === true) throw openAiRefusal('response_format needs enable_thinking false');
  },
});

/** vLLM with DeepSeek-OCR and its n-gram processor. */
export const deepSeekOcrServer = chatApi({
  name: 'deepseek-ocr',
  path: '/deepseek-ocr/v1/chat/completions',
  models: ['deepseek-ai/DeepSeek-OCR'],
  fields: ['max_tokens', 'skip_special_tokens', 'vllm_xargs'],
  imageFields: ['url'],
  mediaTypes: COMMON,
  maxImages: 16,
  check({ messages }, texts, images) {
    const placeholders = texts.join('').split('<image>').length - 1;
    if (placeholders > images.length)
      throw openAiRefusal("Found more '<image>' placeholders in input prompt than actual multimodal data items.");
    if ((messages as unknown[]).length > 1) throw openAiRefusal('The chat template takes one user message.');
  },
});
