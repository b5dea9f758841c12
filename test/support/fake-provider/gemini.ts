import type { Api, StreamedAnswer } from './api.js';
import { type ReceivedImage, receiveImage } from './images.js';
import { expectArray, expectFields, expectObject, expectText, type Json, Refusal } from './refusal.js';
import { expectSchema } from './schema.js';

const MODELS = ['gemini-3.8-flash', 'gemini-2.5-flash'];
const FIELDS = ['contents', 'systemInstruction', 'generationConfig', 'safetySettings', 'cachedContent'];
const GENERATION_FIELDS = [
  'maxOutputTokens',
  'responseMimeType',
  'responseJsonSchema',
  'mediaResolution',
  'temperature',
];
const LEVELS = ['LOW', 'MEDIUM', 'HIGH', 'ULTRA_HIGH'].map((level) => `MEDIA_RESOLUTION_${level}`);
const MEDIA_TYPES = ['image/png', 'image/jpeg', 'image/webp'];
const MAX_IMAGES = 3600;
const PATH = /^\/v1beta\/models\/([^/:]+):streamGenerateContent\?alt=sse$/;

function refuse(message: string): Refusal {
  return new Refusal(400, 'INVALID_ARGUMENT', message);
}

async function receivePart(part: Json, model: string): Promise<string | ReceivedImage> {
  expectFields(part, ['text', 'inlineData', 'mediaResolution'], 'parts[].', refuse);
  if (part.text !== undefined) return expectText(part.text, 'text', refuse);
  const { level } = expectObject(part.mediaResolution ?? { level: LEVELS[0] }, 'mediaResolution', refuse);
  if (!LEVELS.includes(String(level))) throw refuse(`Invalid value at mediaResolution: ${String(level)}`);
  if (part.mediaResolution !== undefined && !model.startsWith('gemini-3'))
    throw refuse('Per-part media resolution is not supported for this model');
  const inline = expectObject(part.inlineData, 'inlineData', refuse);
  expectFields(inline, ['mimeType', 'data'], 'inlineData.', refuse);
  return receiveImage(
    expectText(inline.mimeType, 'mimeType', refuse),
    expectText(inline.data, 'data', refuse),
    MEDIA_TYPES,
    refuse,
  );
}

function checkGeneration(config: Json): void {
  expectFields(config, GENERATION_FIELDS, 'generationConfig.', refuse);
  if (config.mediaResolution !== undefined && !LEVELS.slice(0, 3).includes(String(config.mediaResolution)))
    throw refuse('Invalid value at generationConfig.mediaResolution');
  if (config.responseJsonSchema === undefined) return;
  if (config.responseMimeType !== 'application/json')
    throw refuse('responseJsonSchema needs the response mime type application/json');
  expectSchema(config.responseJsonSchema, 'generationConfig.responseJsonSchema', refuse);
}

function chunk(answer: StreamedAnswer, text: string, finished: boolean): { data: Json } {
  const usageMetadata = {
    promptTokenCount: answer.inputTokens,
    cachedContentTokenCount: answer.cachedTokens,
    candidatesTokenCount: answer.outputTokens - 1,
    thoughtsTokenCount: 1,
    totalTokenCount: answer.inputTokens + answer.outputTokens,
  };
  const candidate = { index: 0, content: { role: 'model', parts: text === '' ? [] : [{ text }] } };
  return {
    data: {
      candidates: [finished ? { ...candidate, finishReason: 'STOP' } : candidate],
      modelVersion: answer.model,
      ...(finished ? { usageMetadata } : {}),
    },
  };
}

export const gemini: Api = {
  path: PATH,
  maxRequestBytes: 20_000_000,
  async receive(headers, body, key, url) {
    // Google answers a wrong key with 400, not with 401.
    if (headers['x-goog-api-key'] !== key)
      throw new Refusal(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', 'API_KEY_INVALID');
    expectFields(body, FIELDS, '', refuse);
    const model = PATH.exec(url)?.[1] ?? '';
    if (!MODELS.includes(model)) throw new Refusal(404, 'NOT_FOUND', `models/${model} is not found`);
    checkGeneration(expectObject(body.generationConfig ?? {}, 'generationConfig', refuse));
    const contents = expectArray(body.contents, 'contents', refuse).map((content) =>
      expectObject(content, 'content', refuse),
    );
    if (contents.some(({ role }) => role !== 'user' && role !== 'model'))
      throw refuse('Please use a valid role: user, model.');
    const received = await Promise.all(
      contents.map(({ parts }) =>
        Promise.all(
          expectArray(parts, 'parts', refuse).map((part) => receivePart(expectObject(part, 'part', refuse), model)),
        ),
      ),
    );
    const images = received.flat().filter((part) => typeof part !== 'string');
    if (images.length > MAX_IMAGES) throw refuse('too many images');
    const prompt = (received.at(-1) ?? []).filter((part) => typeof part === 'string').join('\n');
    return { api: 'gemini', model, prompt, images };
  },
  begin: (answer) => [chunk(answer, '', false)],
  delta: (answer, text) => chunk(answer, text, false),
  end: (answer) => [chunk(answer, '', true)],
  streamError: (message) => [{ data: { error: { code: 503, message, status: 'UNAVAILABLE' } } }],
  errorBody: ({ status, type, message, code }) => ({
    error: {
      code: status,
      message,
      status: status === 429 ? 'RESOURCE_EXHAUSTED' : type,
      details: [
        ...(code === null ? [] : [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code }]),
        ...(status === 429 ? [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }] : []),
      ],
    },
  }),
};
