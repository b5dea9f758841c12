import type { Api, StreamedAnswer } from './api.js';
import { type ReceivedImage, receiveImage, splitDataUrl } from './images.js';
import { expectArray, expectFields, expectObject, expectText, type Json, Refusal } from './refusal.js';
import { expectClosedObjects, expectSchema } from './schema.js';

const MODELS = ['gpt-5.6-luna', 'gpt-6-astra', 'gpt-4o'];
const FIELDS = [
  'model',
  'input',
  'instructions',
  'max_output_tokens',
  'prompt_cache_key',
  'reasoning',
  'store',
  'stream',
  'temperature',
  'text',
];
const IMAGE_FIELDS = ['type', 'image_url', 'detail', 'file_id', 'prompt_cache_breakpoint'];
const MEDIA_TYPES = ['image/png', 'image/jpeg', 'image/webp'];
const MAX_IMAGES = 1500;
const MAX_PATCHES = 30_000;

export function openAiRefusal(message: string, code: string | null = null): Refusal {
  return new Refusal(400, 'invalid_request_error', message, code);
}

export function checkBearer(authorization: string | undefined, key: string): void {
  if (authorization === `Bearer ${key}`) return;
  throw new Refusal(401, 'invalid_request_error', 'Incorrect API key provided.', 'invalid_api_key');
}

export function openAiError(refusal: Refusal): Json {
  return { error: { message: refusal.message, type: refusal.type, param: null, code: refusal.code } };
}

async function receivePart(part: Json, model: string): Promise<string | ReceivedImage> {
  if (part.type === 'input_text') {
    expectFields(part, ['type', 'text'], 'input[0].content[].', openAiRefusal);
    return expectText(part.text, 'text', openAiRefusal);
  }
  if (part.type !== 'input_image') throw openAiRefusal(`Invalid value: '${String(part.type)}'.`);
  expectFields(part, IMAGE_FIELDS, 'input[0].content[].', openAiRefusal);
  if (!['low', 'high', 'original', 'auto'].includes(String(part.detail))) throw openAiRefusal('Invalid detail');
  const { mediaType, base64 } = splitDataUrl(expectText(part.image_url, 'image_url', openAiRefusal), openAiRefusal);
  const image = await receiveImage(mediaType, base64, MEDIA_TYPES, openAiRefusal);
  const unscaled = part.detail === 'original' || (part.detail === 'auto' && /^gpt-(5\.6|6)/.test(model));
  if (unscaled && Math.ceil(image.width / 32) * Math.ceil(image.height / 32) > MAX_PATCHES) {
    throw openAiRefusal('The image has too many patches.', 'image_too_large');
  }
  return image;
}

function checkFormat(text: unknown): void {
  if (text === undefined) return;
  const { format } = expectObject(text, 'text', openAiRefusal);
  const { type, name, schema, strict, ...rest } = expectObject(format, 'text.format', openAiRefusal);
  expectFields(rest, [], 'text.format.', openAiRefusal);
  if (type !== 'json_schema') throw openAiRefusal(`Invalid value: '${String(type)}'.`);
  if (!/^[\w-]{1,64}$/.test(expectText(name, 'name', openAiRefusal))) throw openAiRefusal('Invalid text.format.name');
  expectSchema(schema, 'text.format.schema', openAiRefusal);
  if (strict === true) expectClosedObjects(schema, true, openAiRefusal);
}

function response(answer: StreamedAnswer, status: string): Json {
  const done = status === 'completed';
  return {
    id: 'resp_1',
    object: 'response',
    model: answer.model,
    status,
    incomplete_details: null,
    output: [],
    usage: done
      ? {
          input_tokens: answer.inputTokens,
          input_tokens_details: { cached_tokens: answer.cachedTokens },
          output_tokens: answer.outputTokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: answer.inputTokens + answer.outputTokens,
        }
      : null,
  };
}

const event = (type: string, fields: Json): { event: string; data: Json } => ({
  event: type,
  data: { type, ...fields },
});

export const openAiResponses: Api = {
  path: '/v1/responses',
  maxRequestBytes: 512 * 1024 * 1024,
  async receive(headers, body, key) {
    checkBearer(headers.authorization, key);
    expectFields(body, FIELDS, '', openAiRefusal);
    const model = expectText(body.model, 'model', openAiRefusal);
    if (!MODELS.includes(model)) {
      throw new Refusal(404, 'invalid_request_error', `The model '${model}' does not exist.`, 'model_not_found');
    }
    checkFormat(body.text);
    const messages = expectArray(body.input, 'input', openAiRefusal).map((message) =>
      expectObject(message, 'message', openAiRefusal),
    );
    for (const { role, content } of messages.slice(0, -1)) {
      if (role !== 'user' && role !== 'assistant') throw openAiRefusal(`Invalid value: '${String(role)}'.`);
      expectText(content, 'content', openAiRefusal);
    }
    const { role, content } = expectObject(messages.at(-1), 'input', openAiRefusal);
    if (role !== 'user') throw openAiRefusal('the last message is expected to be of the user');
    const parts = await Promise.all(
      expectArray(content, 'content', openAiRefusal).map((part) =>
        receivePart(expectObject(part, 'part', openAiRefusal), model),
      ),
    );
    const images = parts.filter((part) => typeof part !== 'string');
    if (images.length > MAX_IMAGES) throw openAiRefusal('Too many images.');
    return { api: 'responses', prompt: parts.filter((part) => typeof part === 'string').join('\n'), images };
  },
  begin: (answer) => [
    event('response.created', { response: response(answer, 'in_progress') }),
    event('response.in_progress', { response: response(answer, 'in_progress') }),
  ],
  delta: (_answer, text) => event('response.output_text.delta', { item_id: 'msg_1', output_index: 0, delta: text }),
  end: (answer) => [event('response.completed', { response: response(answer, 'completed') })],
  streamError: (message) => [event('error', { code: 'server_error', message, param: null, sequence_number: 9 })],
  errorBody: openAiError,
};
