import type { Api, StreamedAnswer } from './api.js';
import { type ReceivedImage, receiveImage, splitDataUrl } from './images.js';
import { checkBearer, openAiError, openAiRefusal } from './openai-responses.js';
import { expectArray, expectFields, expectObject, expectText, type Json, Refusal } from './refusal.js';
import { expectClosedObjects, expectSchema } from './schema.js';

/** What tells servers with Chat Completions apart. */
export interface ChatServer {
  readonly name: string;
  readonly path: string;
  readonly models: readonly string[];
  /** Beside `model`, `messages`, `stream`, `stream_options`, `response_format` and `temperature`. */
  readonly fields: readonly string[];
  readonly imageFields: readonly string[];
  readonly mediaTypes: readonly string[];
  readonly maxImages: number;
  readonly checkImage?: (image: ReceivedImage, base64: string) => void;
  readonly check?: (body: Json, texts: readonly string[], images: readonly ReceivedImage[]) => void;
}

const FIELDS = ['model', 'messages', 'stream', 'stream_options', 'response_format', 'temperature'];

async function receivePart(part: Json, server: ChatServer): Promise<string | ReceivedImage> {
  if (part.type === 'text') return expectText(part.text, 'text', openAiRefusal);
  if (part.type !== 'image_url') throw openAiRefusal(`Unknown part type: ${String(part.type)}`);
  expectFields(part, ['type', 'image_url'], 'messages[].content[].', openAiRefusal);
  const source = expectObject(part.image_url, 'image_url', openAiRefusal);
  expectFields(source, server.imageFields, 'image_url.', openAiRefusal);
  const { mediaType, base64 } = splitDataUrl(expectText(source.url, 'url', openAiRefusal), openAiRefusal);
  const image = await receiveImage(mediaType, base64, server.mediaTypes, openAiRefusal);
  server.checkImage?.(image, base64);
  return image;
}

async function receiveMessage(message: Json, server: ChatServer): Promise<(string | ReceivedImage)[]> {
  const { role, content } = message;
  if (!['system', 'user', 'assistant'].includes(String(role))) throw openAiRefusal(`Unexpected role: ${String(role)}`);
  if (role !== 'user' || typeof content === 'string') return [expectText(content, 'content', openAiRefusal)];
  const parts = expectArray(content, 'content', openAiRefusal);
  return Promise.all(parts.map((part) => receivePart(expectObject(part, 'part', openAiRefusal), server)));
}

function checkFormat(format: unknown): void {
  if (format === undefined) return;
  const { type, json_schema } = expectObject(format, 'response_format', openAiRefusal);
  if (type !== 'json_schema') throw openAiRefusal(`Unknown response_format: ${String(type)}`);
  const { name, schema, strict, ...rest } = expectObject(json_schema, 'json_schema', openAiRefusal);
  expectFields(rest, [], 'response_format.json_schema.', openAiRefusal);
  if (!/^[\w-]{1,64}$/.test(expectText(name, 'name', openAiRefusal))) throw openAiRefusal('Invalid name');
  expectSchema(schema, 'response_format.json_schema.schema', openAiRefusal);
  if (strict === true) expectClosedObjects(schema, true, openAiRefusal);
}

function chunk(answer: StreamedAnswer, choices: unknown[], usage: Json | null = null): { data: Json } {
  return {
    data: { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: answer.model, choices, usage },
  };
}

export function chatApi(server: ChatServer): Api {
  return {
    path: server.path,
    maxRequestBytes: 64 * 1024 * 1024,
    async receive(headers, body, key) {
      checkBearer(headers.authorization, key);
      expectFields(body, [...FIELDS, ...server.fields], '', openAiRefusal);
      const model = expectText(body.model, 'model', openAiRefusal);
      if (!server.models.includes(model)) {
        throw new Refusal(404, 'NotFoundError', `The model '${model}' does not exist.`, 'model_not_found');
      }
      checkFormat(body.response_format);
      const messages = expectArray(body.messages, 'messages', openAiRefusal).map((message) =>
        expectObject(message, 'message', openAiRefusal),
      );
      if (messages.at(-1)?.role !== 'user') throw openAiRefusal('The last message must be from the user');
      const received = await Promise.all(messages.map((message) => receiveMessage(message, server)));
      const images = received.flat().filter((part) => typeof part !== 'string');
      const texts = (received.at(-1) ?? []).filter((part) => typeof part === 'string');
      if (images.length > server.maxImages)
        throw openAiRefusal(`At most ${server.maxImages} image(s) may be provided in one prompt.`);
      server.check?.(body, texts, images);
      return { api: server.name, prompt: texts.join('\n'), images };
    },
    begin: (answer) => [chunk(answer, [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])],
    delta: (answer, text) => chunk(answer, [{ index: 0, delta: { content: text }, finish_reason: null }]),
    end: (answer) => [
      chunk(answer, [{ index: 0, delta: {}, finish_reason: 'stop' }]),
      chunk(answer, [], {
        prompt_tokens: answer.inputTokens,
        completion_tokens: answer.outputTokens,
        total_tokens: answer.inputTokens + answer.outputTokens,
        prompt_tokens_details: { cached_tokens: answer.cachedTokens },
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
}
