import type { Api, StreamedAnswer } from './api.js';
import { type ReceivedImage, receiveImage } from './images.js';
import { expectArray, expectFields, expectObject, expectText, type Json, Refusal } from './refusal.js';
import { expectClosedObjects, expectSchema, refuseKeywords } from './schema.js';

const MODELS = ['claude-haiku-5-5', 'claude-haiku-4-5'];
const VERSIONS = ['2023-06-01', '2026-10-21'];
const FIELDS = [
  'model',
  'max_tokens',
  'system',
  'messages',
  'stream',
  'metadata',
  'stop_sequences',
  'thinking',
  'tools',
  'output_config',
];
const MEDIA_TYPES = ['image/png', 'image/jpeg', 'image/webp'];
const MAX_BASE64 = 10 * 1024 * 1024;
const MAX_EDGE_PX = 8000;
const MAX_IMAGES = 600;
const MANY_IMAGES = 20;
const MAX_EDGE_OF_MANY_PX = 2000;

function refuse(message: string): Refusal {
  return new Refusal(400, 'invalid_request_error', message);
}

async function receiveBlock(block: Json): Promise<string | ReceivedImage> {
  if (block.type === 'text') return expectText(block.text, 'text', refuse);
  if (block.type !== 'image') throw refuse(`Input tag '${String(block.type)}' found`);
  expectFields(block, ['type', 'source', 'cache_control', 'transformations'], 'content.', refuse);
  const source = expectObject(block.source, 'source', refuse);
  expectFields(source, ['type', 'media_type', 'data'], 'source.', refuse);
  if (source.type !== 'base64') throw refuse('source.type: only base64 is expected here');
  const data = expectText(source.data, 'data', refuse);
  if (data.length > MAX_BASE64) throw refuse('image exceeds 10 MB maximum');
  const image = await receiveImage(expectText(source.media_type, 'media_type', refuse), data, MEDIA_TYPES, refuse);
  if (Math.max(image.width, image.height) > MAX_EDGE_PX) throw refuse('image dimensions exceed 8000 pixels');
  return image;
}

function checkHeaders(headers: Parameters<Api['receive']>[0], key: string): void {
  // The documented header, and the one that the SDK sends since its version 1.
  const sent = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '');
  if (sent !== key) throw new Refusal(401, 'authentication_error', 'invalid x-api-key');
  const version = String(headers['anthropic-version']);
  if (!VERSIONS.includes(version)) throw refuse(`anthropic-version: "${version}" is not a valid version`);
}

function checkImages(images: readonly ReceivedImage[]): void {
  if (images.length > MAX_IMAGES) throw refuse('too many images');
  const tooLarge = images.some((image) => Math.max(image.width, image.height) > MAX_EDGE_OF_MANY_PX);
  if (images.length > MANY_IMAGES && tooLarge)
    throw refuse('image dimensions exceed 2000 pixels for many-image requests');
}

function checkSystem(system: unknown): void {
  if (system === undefined || typeof system === 'string') return;
  for (const block of expectArray(system, 'system', refuse)) {
    const { type, text, cache_control, ...rest } = expectObject(block, 'system', refuse);
    expectFields(rest, [], 'system.', refuse);
    if (type !== 'text') throw refuse('system: only text is expected');
    expectText(text, 'system.text', refuse);
    if (cache_control !== undefined && (cache_control as Json).type !== 'ephemeral') throw refuse('cache_control.type');
  }
}

/** Structured outputs know no bounds of numbers and lengths. */
const BEYOND_GRAMMAR = ['minimum', 'maximum', 'minLength', 'maxLength', 'maxItems', 'pattern'];

function checkFormat(config: unknown): void {
  if (config === undefined) return;
  const { format } = expectObject(config, 'output_config', refuse);
  const { type, schema } = expectObject(format, 'output_config.format', refuse);
  if (type !== 'json_schema') throw refuse('output_config.format.type');
  expectSchema(schema, 'output_config.format.schema', refuse);
  expectClosedObjects(schema, false, refuse);
  refuseKeywords(schema, BEYOND_GRAMMAR, refuse);
}

function message(answer: StreamedAnswer): Json {
  const usage = {
    input_tokens: answer.inputTokens - 10 - answer.cachedTokens,
    cache_creation_input_tokens: 10,
    cache_read_input_tokens: answer.cachedTokens,
    output_tokens: 1,
  };
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
}

const event = (type: string, fields: Json = {}): { event: string; data: Json } => ({
  event: type,
  data: { type, ...fields },
});

export const anthropicMessages: Api = {
  path: '/v1/messages',
  maxRequestBytes: 32_000_000,
  async receive(headers, body, key) {
    checkHeaders(headers, key);
    for (const sampling of ['temperature', 'top_p', 'top_k']) {
      if (sampling in body) throw refuse(`${sampling}: Extra inputs are not permitted`);
    }
    expectFields(body, FIELDS, '', refuse);
    const model = expectText(body.model, 'model', refuse);
    if (!MODELS.includes(model)) throw new Refusal(404, 'not_found_error', `model: ${model}`);
    if (!Number.isInteger(body.max_tokens)) throw refuse('max_tokens: Field required');
    checkSystem(body.system);
    checkFormat(body.output_config);
    const messages = expectArray(body.messages, 'messages', refuse).map((one) => expectObject(one, 'message', refuse));
    for (const { role, content } of messages.slice(0, -1)) {
      if (role !== 'user' && role !== 'assistant') throw refuse(`messages: unexpected role "${String(role)}"`);
      expectText(content, 'content', refuse);
    }
    const { role, content } = expectObject(messages.at(-1), 'messages', refuse);
    if (role !== 'user') throw refuse('This model does not support assistant message prefill.');
    const blocks = expectArray(content, 'content', refuse);
    const parts = await Promise.all(blocks.map((block) => receiveBlock(expectObject(block, 'block', refuse))));
    const images = parts.filter((part) => typeof part !== 'string');
    checkImages(images);
    return { api: 'messages', prompt: parts.filter((part) => typeof part === 'string').join('\n'), images };
  },
  begin: (answer) => [
    event('message_start', { message: message(answer) }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('ping'),
  ],
  delta: (_answer, text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  end: (answer) => [
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: answer.outputTokens },
    }),
    event('message_stop'),
  ],
  streamError: (text) => [event('error', { error: { type: 'overloaded_error', message: text } })],
  errorBody: (refusal) => ({
    type: 'error',
    error: { type: refusal.type, message: refusal.message },
    request_id: 'req_1',
  }),
};
