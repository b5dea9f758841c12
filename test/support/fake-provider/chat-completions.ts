import type { Api, StreamedAnswer } from './api.js';
import { type ReceivedImage, receiveImage, splitDataUrl } from './images.js';
import { checkBearer, openAiError, openAiRefusal } from './openai-responses.js';
import { expectArray, expectFields, expectObject, expectText, type Json, Refusal } from './refusal.js';

const MODELS = ['Qwen/Qwen3-VL-8B-Instruct', 'deepseek-ai/DeepSeek-OCR'];
const FIELDS = ['model', 'messages', 'max_tokens', 'stream', 'stream_options', 'temperature'];
/** llama.cpp reads no WebP. */
const MEDIA_TYPES = ['image/png', 'image/jpeg'];
/** vLLM's --limit-mm-per-prompt. */
const MAX_IMAGES = 16;

async function receivePart(part: Json): Promise<string | ReceivedImage> {
  if (part.type === 'text') return expectText(part.text, 'text', openAiRefusal);
  if (part.type !== 'image_url') throw openAiRefusal(`Unknown part type: ${String(part.type)}`);
  expectFields(part, ['type', 'image_url'], 'messages[].content[].', openAiRefusal);
  const image = expectObject(part.image_url, 'image_url', openAiRefusal);
  // vLLM knows no `detail`, and no server without a network can fetch an address.
  expectFields(image, ['url'], 'image_url.', openAiRefusal);
  const { mediaType, base64 } = splitDataUrl(expectText(image.url, 'url', openAiRefusal), openAiRefusal);
  return receiveImage(mediaType, base64, MEDIA_TYPES, openAiRefusal);
}

async function receiveMessage(message: Json): Promise<(string | ReceivedImage)[]> {
  if (message.role === 'system') return [expectText(message.content, 'content', openAiRefusal)];
  if (message.role !== 'user') throw openAiRefusal(`Unexpected role: ${String(message.role)}`);
  const parts = expectArray(message.content, 'content', openAiRefusal);
  return Promise.all(parts.map((part) => receivePart(expectObject(part, 'part', openAiRefusal))));
}

function chunk(answer: StreamedAnswer, choices: unknown[], usage: Json | null = null): { data: Json } {
  return {
    data: { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: answer.model, choices, usage },
  };
}

export const chatCompletions: Api = {
  path: '/v1/chat/completions',
  maxRequestBytes: 64 * 1024 * 1024,
  async receive(headers, body, key) {
    checkBearer(headers.authorization, key);
    expectFields(body, FIELDS, '', openAiRefusal);
    const model = expectText(body.model, 'model', openAiRefusal);
    if (!MODELS.includes(model)) {
      throw new Refusal(404, 'NotFoundError', `The model '${model}' does not exist.`, 'model_not_found');
    }
    const messages = expectArray(body.messages, 'messages', openAiRefusal);
    const received = await Promise.all(
      messages.map((message) => receiveMessage(expectObject(message, 'message', openAiRefusal))),
    );
    const parts = received.flat();
    const images = parts.filter((part) => typeof part !== 'string');
    if (images.length > MAX_IMAGES)
      throw openAiRefusal(`At most ${MAX_IMAGES} image(s) may be provided in one prompt.`);
    return { api: 'chat', prompt: parts.filter((part) => typeof part === 'string').join('\n'), images };
  },
  begin: (answer) => [chunk(answer, [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])],
  delta: (answer, text) => chunk(answer, [{ index: 0, delta: { content: text }, finish_reason: null }]),
  end: (answer) => [
    chunk(answer, [{ index: 0, delta: {}, finish_reason: 'stop' }]),
    chunk(answer, [], {
      prompt_tokens: answer.inputTokens,
      completion_tokens: answer.outputTokens,
      total_tokens: answer.inputTokens + answer.outputTokens,
    }),
    { data: '[DONE]' },
  ],
  // As vLLM does it: a data frame under the status 200, then the end.
  streamError: (message) => [
    { data: { error: { message, type: 'InternalServerError', param: null, code: 500 } } },
    { data: '[DONE]' },
  ],
  errorBody: openAiError,
};
