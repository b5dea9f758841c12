import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';

// What every wire format of the fake provider refuses alike; fake-provider.test.ts has what each has alone.

interface Picture {
  readonly mediaType: string;
  readonly base64: string;
}

type Body = Record<string, unknown>;

interface Wire {
  readonly title: string;
  readonly model: string;
  readonly path: (model: string) => string;
  readonly headers: (key: string) => Record<string, string>;
  readonly body: (model: string, pictures: readonly Picture[]) => Body;
  readonly maxImages: number;
  readonly webp: boolean;
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const dataUrl = ({ mediaType, base64 }: Picture): string => `data:${mediaType};base64,${base64}`;

function chat(title: string, path: string, model: string, maxImages: number, webp: boolean): Wire {
  return {
    title,
    model,
    path: () => path,
    headers: bearer,
    body: (name, pictures) => ({
      model: name,
      messages: [
        {
          role: 'user',
          content: [
            ...pictures.map((picture) => ({ type: 'image_url', image_url: { url: dataUrl(picture) } })),
            { type: 'text', text: 'Look' },
          ],
        },
      ],
      stream: true,
    }),
    maxImages,
    webp,
  };
}

const WIRES: readonly Wire[] = [
  {
    title: 'OpenAI Responses',
    model: 'gpt-5.6-luna',
    path: () => '/v1/responses',
    headers: bearer,
    body: (model, pictures) => ({
      model,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            ...pictures.map((picture) => ({ type: 'input_image', image_url: dataUrl(picture), detail: 'high' })),
          ],
        },
      ],
      stream: true,
    }),
    maxImages: 1500,
    webp: true,
  },
  chat('OpenAI Chat Completions', '/openai/v1/chat/completions', 'gpt-5.6-luna', 1500, true),
  chat('Chat Completions of others', '/v1/chat/completions', 'Qwen/Qwen3-VL-8B-Instruct', 16, false),
  chat('Model Studio', '/compatible-mode/v1/chat/completions', 'qwen3-vl-flash', 250, true),
  chat('vLLM with DeepSeek-OCR', '/deepseek-ocr/v1/chat/completions', 'deepseek-ai/DeepSeek-OCR', 16, false),
  {
    title: 'Anthropic Messages',
    model: 'claude-haiku-5-5',
    path: () => '/v1/messages',
    headers: (key) => ({ 'x-api-key': key, 'anthropic-version': '2026-10-21' }),
    body: (model, pictures) => ({
      model,
      max_tokens: 10,
      messages: [
        {
          role: 'user',
          content: [
            ...pictures.map(({ mediaType, base64 }) => ({
              type: 'image',
              source: { type: 'base64', media_type: mediaType, data: base64 },
            })),
            { type: 'text', text: 'Look' },
          ],
        },
      ],
      stream: true,
    }),
    maxImages: 600,
    webp: true,
  },
  {
    title: 'Gemini',
    model: 'gemini-3.8-flash',
    path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    headers: (key) => ({ 'x-goog-api-key': key }),
    body: (_, pictures) => ({
      contents: [
        {
          role: 'user',
          parts: [
            ...pictures.map(({ mediaType, base64 }) => ({ inlineData: { mimeType: mediaType, data: base64 } })),
            { text: 'Look' },
          ],
        },
      ],
    }),
    maxImages: 3600,
    webp: true,
  },
];

let server: FakeProvider;
let png: string;
let webp: string;
let gif: string;

beforeAll(async () => {
  server = await FakeProvider.start();
  const drawn = sharp({ create: { width: 16, height: 12, channels: 3, background: 'teal' } });
  [png, webp, gif] = (
    await Promise.all([drawn.clone().png(), drawn.clone().webp(), drawn.clone().gif()].map((one) => one.toBuffer()))
  ).map((data) => data.toString('base64')) as [string, string, string];
});
afterAll(() => server.close());
beforeEach(() => server.reset());

async function post(
  path: string,
  headers: Record<string, string>,
  body: Body,
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${server.origin}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}

describe.each(WIRES)('$title', ({ model, path, headers, body, maxImages, webp: takesWebp }) => {
  const ask = (pictures: readonly Picture[], changes: Body = {}, name = model, key = FAKE_KEY) =>
    post(path(name), headers(key), { ...body(name, pictures), ...changes });
  const picture = (changes: Partial<Picture> = {}): Picture => ({ mediaType: 'image/png', base64: png, ...changes });

  test('accepts a good request, and decodes what it was sent', async () => {
    expect((await ask([picture()])).status).toBe(200);
    expect(server.requests[0]).toMatchObject({
      prompt: 'Look',
      images: [{ mediaType: 'image/png', width: 16, height: 12 }],
    });
  });

  test('refuses a wrong key, an unknown model and an unknown field', async () => {
    expect((await ask([], {}, model, 'other')).status).toBe(path(model).includes('v1beta') ? 400 : 401);
    expect((await ask([], {}, 'no-such-model')).status).toBe(404);
    const unknown = await ask([], { colour: 'red' });
    expect(unknown).toMatchObject({ status: 400, text: expect.stringContaining('colour') });
  });

  test('refuses bad base64, bytes of another type, and half a picture', async () => {
    const cases = [
      { base64: png.slice(0, -1), says: 'base64' },
      { base64: png.replace(/.{4}/, '-_-_'), says: 'base64' },
      { base64: webp, says: 'does not match' },
      { base64: png.slice(0, 40), says: 'Could not process' },
    ];
    for (const { base64, says } of cases) {
      expect(await ask([picture({ base64 })])).toMatchObject({ status: 400, text: expect.stringContaining(says) });
    }
    expect(server.requests).toEqual([]);
  });

  test('refuses types that it does not read', async () => {
    const refused = await ask([picture({ mediaType: 'image/gif', base64: gif })]);
    expect(refused).toMatchObject({ status: 400, text: expect.stringContaining('Unsupported') });
    expect((await ask([picture({ mediaType: 'image/webp', base64: webp })])).status).toBe(takesWebp ? 200 : 400);
  });

  test('refuses one picture too many', async () => {
    const tooMany = await ask(Array(maxImages + 1).fill(picture()));
    expect(tooMany.status).toBe(400);
    expect(tooMany.text).toMatch(/many|At most/);
  });
});

describe('Ollama', () => {
  const ask = (images: readonly string[], changes: Body = {}, headers: Record<string, string> = {}) =>
    post('/api/chat', headers, {
      model: 'qwen3-vl:8b',
      messages: [{ role: 'user', content: 'Look', images }],
      ...changes,
    });

  test('streams lines of JSON, to anybody unless a key is given', async () => {
    const { status, text } = await ask([png]);
    expect(status).toBe(200);
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { done: boolean }).done)).toEqual([false, false, false, true]);
    expect((await ask([png], {}, bearer('other'))).status).toBe(401);
  });

  test('refuses what it cannot read, and what it does not know', async () => {
    expect(await ask([`data:image/png;base64,${png}`])).toMatchObject({ status: 400 });
    expect(await ask([webp])).toMatchObject({ status: 400, text: expect.stringContaining('Unsupported') });
    expect(await ask([png.slice(0, -1)])).toMatchObject({ status: 400, text: expect.stringContaining('base64') });
    expect(await ask([png.slice(0, 40)])).toMatchObject({ status: 400, text: expect.stringContaining('process') });
    expect((await ask([png], { model: 'other' })).status).toBe(404);
    expect((await ask([png], { max_tokens: 5 })).status).toBe(400);
    expect((await ask([png], { options: { max_tokens: 5 } })).status).toBe(400);
    expect((await ask([png], { format: 'xml' })).status).toBe(400);
  });
});

describe('what one server alone refuses', () => {
  const wire = (title: string): Wire => {
    const found = WIRES.find((one) => one.title === title);
    if (!found) throw new Error(title);
    return found;
  };
  const ask = (title: string, pictures: readonly Picture[], changes: Body = {}) => {
    const { path, headers, body, model } = wire(title);
    return post(path(model), headers(FAKE_KEY), { ...body(model, pictures), ...changes });
  };
  const drawn = async (width: number, height: number): Promise<Picture> => {
    const data = await sharp({ create: { width, height, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    return { mediaType: 'image/png', base64: data.toString('base64') };
  };

  test('Gemini: more than 20 MB, resolutions per picture before 3, a schema without its type', async () => {
    const padding = 'x'.repeat(20_000_000);
    expect((await ask('Gemini', [], { systemInstruction: { parts: [{ text: padding }] } })).status).toBe(413);
    const responseJsonSchema = { type: 'object' };
    expect((await ask('Gemini', [], { generationConfig: { responseJsonSchema } })).status).toBe(400);
    const generationConfig = { responseJsonSchema, responseMimeType: 'application/json' };
    expect((await ask('Gemini', [], { generationConfig })).status).toBe(200);
    const part = {
      inlineData: { mimeType: 'image/png', data: png },
      mediaResolution: { level: 'MEDIA_RESOLUTION_LOW' },
    };
    const contents = [{ role: 'user', parts: [part] }];
    const old = '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse';
    expect((await post(old, { 'x-goog-api-key': FAKE_KEY }, { contents })).status).toBe(400);
  });

  test('Model Studio: pictures of more than 10 MB, thin ones, and a schema while thinking', async () => {
    const noise = await sharp({
      create: {
        width: 2000,
        height: 1500,
        channels: 3,
        background: 'red',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .png({ compressionLevel: 0 })
      .toBuffer();
    const large = { mediaType: 'image/png', base64: noise.toString('base64') };
    expect(large.base64.length).toBeGreaterThan(10 * 1024 * 1024);
    expect((await ask('Model Studio', [large])).text).toContain('too large');
    expect((await ask('Model Studio', [await drawn(400, 10)])).text).toContain('larger than 10');
    expect((await ask('Model Studio', [await drawn(2400, 11)])).text).toContain('aspect ratio');
    const response_format = { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } };
    expect((await ask('Model Studio', [], { response_format, enable_thinking: true })).status).toBe(400);
    expect((await ask('Model Studio', [], { response_format, enable_thinking: false })).status).toBe(200);
  });

  test('DeepSeek-OCR: more placeholders than pictures, and conversations', async () => {
    const say = (text: string) => ({ messages: [{ role: 'user', content: [{ type: 'text', text }] }] });
    expect((await ask('vLLM with DeepSeek-OCR', [], say('<image>\nFree OCR.'))).text).toContain('placeholders');
    const system = { role: 'system', content: 'Be brief.' };
    const { messages } = say('Free OCR.');
    expect((await ask('vLLM with DeepSeek-OCR', [], { messages: [system, ...messages] })).status).toBe(400);
  });

  test('OpenAI and Anthropic: schemas that their grammars cannot hold an answer to', async () => {
    const open = { type: 'object', properties: { a: { type: 'string' } } };
    const closed = { ...open, additionalProperties: false };
    const strict = (schema: Body) => ({
      text: { format: { type: 'json_schema', name: 'answer', strict: true, schema } },
    });
    expect((await ask('OpenAI Responses', [], strict(open))).text).toContain('additionalProperties');
    expect((await ask('OpenAI Responses', [], strict(closed))).text).toContain("'required'");
    expect((await ask('OpenAI Responses', [], strict({ ...closed, required: ['a'] }))).status).toBe(200);
    const format = (schema: Body) => ({ output_config: { format: { type: 'json_schema', schema } } });
    expect((await ask('Anthropic Messages', [], format(open))).text).toContain('additionalProperties');
    const bounded = { ...closed, properties: { a: { type: 'integer', minimum: 0 } } };
    expect((await ask('Anthropic Messages', [], format(bounded))).text).toContain("'minimum'");
    expect((await ask('Anthropic Messages', [], format(closed))).status).toBe(200);
  });
});
