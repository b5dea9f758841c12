import type { Api, StreamedAnswer } from './api.js';
import { type ReceivedImage, receiveImage } from './images.js';
import { expectArray, expectFields, expectObject, expectText, type Json, Refusal } from './refusal.js';
import { expectSchema } from './schema.js';

const MODELS = ['qwen3-vl:8b', 'qwen2.5vl:7b'];
const FIELDS = ['model', 'messages', 'stream', 'format', 'options', 'keep_alive', 'think', 'tools'];
const OPTIONS = ['num_predict', 'num_ctx', 'temperature', 'seed'];

function refuse(message: string): Refusal {
  return new Refusal(400, 'error', message);
}

/** The server looks at the bytes, not at a name: it is told none. */
async function receiveOne(base64: unknown): Promise<ReceivedImage> {
  const text = expectText(base64, 'images', refuse);
  const mediaType = text.startsWith('iVBOR') ? 'image/png' : text.startsWith('/9j/') ? 'image/jpeg' : 'unknown';
  return receiveImage(mediaType, text, ['image/png', 'image/jpeg'], refuse);
}

function line(answer: StreamedAnswer, content: string, done: boolean): { data: Json } {
  const counts = { done_reason: 'stop', prompt_eval_count: answer.inputTokens, eval_count: answer.outputTokens };
  return {
    data: { model: answer.model, message: { role: 'assistant', content }, done, ...(done ? counts : {}) },
  };
}

export const ollama: Api = {
  path: '/api/chat',
  framing: 'ndjson',
  maxRequestBytes: 64 * 1024 * 1024,
  async receive(headers, body, key) {
    const { authorization } = headers;
    if (authorization !== undefined && authorization !== `Bearer ${key}`)
      throw new Refusal(401, 'error', 'unauthorized');
    expectFields(body, FIELDS, '', refuse);
    const model = expectText(body.model, 'model', refuse);
    if (!MODELS.includes(model)) throw new Refusal(404, 'error', `model '${model}' not found`);
    expectFields(expectObject(body.options ?? {}, 'options', refuse), OPTIONS, 'options.', refuse);
    if (body.format !== undefined) expectSchema(body.format, 'format', refuse);
    const messages = expectArray(body.messages, 'messages', refuse).map((message) =>
      expectObject(message, 'message', refuse),
    );
    for (const message of messages) {
      expectFields(message, ['role', 'content', 'images'], 'messages[].', refuse);
      if (!['system', 'user', 'assistant'].includes(String(message.role))) throw refuse('invalid role');
      expectText(message.content, 'content', refuse);
    }
    const images = await Promise.all(
      messages.flatMap(({ images = [] }) => expectArray(images, 'images', refuse)).map(receiveOne),
    );
    return { api: 'ollama', prompt: String(messages.at(-1)?.content), images };
  },
  begin: () => [],
  delta: (answer, text) => line(answer, text, false),
  end: (answer) => [line(answer, '', true)],
  streamError: (error) => [{ data: { error } }],
  errorBody: ({ message }) => ({ error: message }),
};
