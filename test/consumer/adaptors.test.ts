import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Adaptor, AdaptorOptions, AdaptorRequest, EncodedImage } from '../../src/consumer/index.js';
import { openAdaptor } from '../../src/consumer/index.js';
import { CapError, redact } from '../../src/core/index.js';
import { FAKE_CLOUDS } from '../support/fake-provider/clouds.js';
import { CACHED_TOKENS, FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../support/fake-provider.js';

let server: FakeProvider;
const opened: Adaptor[] = [];

beforeAll(async () => {
  server = await FakeProvider.start();
});
afterAll(() => server.close());
afterEach(async () => {
  for (const adaptor of opened.splice(0)) await adaptor.close();
  server.reset();
});

async function image(
  width: number,
  height: number,
  mediaType: EncodedImage['mediaType'] = 'image/jpeg',
): Promise<EncodedImage> {
  const canvas = sharp({ create: { width, height, channels: 3, background: '#336699' } });
  const data = await (mediaType === 'image/png' ? canvas.png() : canvas.jpeg()).toBuffer();
  return { data, mediaType, width, height };
}

describe.each(FAKE_CLOUDS)('$title', (cloud) => {
  const { name, model, keyVariable, api, basePath, retries } = cloud;

  async function open(options: AdaptorOptions = {}): Promise<Adaptor> {
    const baseUrl = `${server.origin}${basePath}`;
    const adaptor = await openAdaptor(name, { model, apiKey: FAKE_KEY, baseUrl, ...(api ? { api } : {}), ...options });
    opened.push(adaptor);
    return adaptor;
  }

  async function failure(adaptor: Adaptor): Promise<CapError> {
    const error: unknown = await adaptor.ask({ prompt: 'What is this?', images: [] }).then(
      () => new Error('it answered'),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CapError);
    return error as CapError;
  }

  test('streams the answer and reports model and usage', async () => {
    const adaptor = await open();
    const deltas: string[] = [];
    const answer = await adaptor.ask({
      prompt: 'What is this?',
      ...(cloud.converses === false ? {} : { system: 'Be brief.' }),
      images: [await image(640, 360), await image(64, 48, 'image/png')],
      maxOutputTokens: 77,
      onText: (delta) => deltas.push(delta),
    });
    expect(answer).toEqual({
      text: FAKE_DELTAS.join(''),
      model: `${model}-served`,
      usage: {
        inputTokens: 120,
        outputTokens: FAKE_DELTAS.length,
        ...(cloud.reportsCache === false ? {} : { cachedTokens: CACHED_TOKENS }),
      },
    });
    expect(deltas).toEqual(FAKE_DELTAS);
    const [request] = server.requests;
    expect(request?.prompt).toContain('What is this?');
    expect(request?.images.map(({ mediaType, width, height }) => ({ mediaType, width, height }))).toEqual([
      { mediaType: 'image/jpeg', width: 640, height: 360 },
      { mediaType: 'image/png', width: 64, height: 48 },
    ]);
    const sent = JSON.stringify(request?.body);
    if (cloud.converses !== false) expect(sent).toContain('Be brief.');
    expect(sent).toMatch(/"(max_?(completion_|output_)?tokens|maxOutputTokens|num_predict)":77/i);
    if (name !== 'deepseek-ocr') expect(sent).not.toContain('temperature');
  });

  test('a wrong key is CAP_PROVIDER_AUTH, asked once, and never shown', async () => {
    const wrong = 'wrong-key-abcdefgh';
    const error = await failure(await open({ apiKey: wrong }));
    expect(error.code).toBe('CAP_PROVIDER_AUTH');
    expect(error.hint).toContain(keyVariable);
    expect(server.attempts).toBe(1);
    expect(redact(`${wrong} is registered`)).not.toContain(wrong);
    expect(JSON.stringify(error) + error.message + error.stack).not.toContain(wrong);
  });

  test('an unknown model is CAP_PROVIDER_REJECTED, asked once', async () => {
    const error = await failure(await open({ model: 'no-such-model' }));
    expect(error.code).toBe('CAP_PROVIDER_REJECTED');
    expect(server.attempts).toBe(1);
  });

  test('a rate limit is tried as often as the SDK does, and then says how long to wait', async () => {
    const limited = { kind: 'status', status: 429, headers: { 'retry-after-ms': '5' } } as const;
    server.script(...Array(retries + 1).fill(limited));
    const error = await failure(await open());
    expect(error.code).toBe('CAP_PROVIDER_UNAVAILABLE');
    // Google says it in the body.
    expect(error.retryAfterMs).toBe(name === 'gemini' ? 34_000 : 5);
    expect(server.attempts).toBe(retries + 1);
  });

  test.runIf(retries > 0)('a server error passes when the next try succeeds', async () => {
    server.script({ kind: 'status', status: 500, headers: { 'retry-after-ms': '1' } });
    const answer = await (await open()).ask({ prompt: 'Again?', images: [] });
    expect(answer.text).toBe(FAKE_DELTAS.join(''));
    expect(server.attempts).toBe(2);
  });

  test.each(['cut', 'truncate', 'stream-error'] as const)(
    'an answer that breaks off (%s) is CAP_PROVIDER_UNAVAILABLE',
    async (kind) => {
      server.script({ kind });
      const error = await failure(await open());
      expect(error.code).toBe('CAP_PROVIDER_UNAVAILABLE');
      expect(server.attempts).toBe(1);
    },
  );

  test('an empty answer is CAP_PROVIDER_REJECTED', async () => {
    server.script({ kind: 'answer', deltas: [] });
    expect((await failure(await open())).code).toBe('CAP_PROVIDER_REJECTED');
  });

  test('a server that is not there is CAP_PROVIDER_UNAVAILABLE', async () => {
    const gone = await FakeProvider.start();
    const address = gone.origin;
    await gone.close();
    const error = await failure(await open({ baseUrl: `${address}${basePath}` }));
    expect(error.code).toBe('CAP_PROVIDER_UNAVAILABLE');
    // Google's SDK keeps the reason to itself.
    expect(error.message).toContain(name === 'gemini' ? 'the connection failed' : 'ECONNREFUSED');
  });

  test.each(['abort', 'close'] as const)('%s ends a request under way', async (how) => {
    const adaptor = await open();
    const controller = new AbortController();
    let release = (): void => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.script({ kind: 'hold', until });
    const asked = adaptor.ask({
      prompt: 'Wait',
      images: [],
      signal: controller.signal,
      onText: () => {
        if (how === 'abort') controller.abort(new Error('enough'));
        else void adaptor.close();
      },
    });
    if (how === 'abort') await expect(asked).rejects.toThrow('enough');
    else await expect(asked).rejects.toMatchObject({ code: 'CAP_CLOSED' });
    await expect.poll(() => server.abandoned).toBe(1);
    release();
  });

  test('a closed adaptor asks nothing', async () => {
    const adaptor = await open();
    await adaptor.close();
    await adaptor.close();
    expect((await failure(adaptor)).code).toBe('CAP_CLOSED');
    expect(server.attempts).toBe(0);
  });
});

async function askOf(name: string, options: AdaptorOptions, request: Partial<AdaptorRequest> = {}) {
  const cloud = FAKE_CLOUDS.find((one) => one.name === name && one.api === options.api);
  if (!cloud) throw new Error(name);
  const { model, basePath } = cloud;
  const adaptor = await openAdaptor(name, {
    model,
    apiKey: FAKE_KEY,
    baseUrl: `${server.origin}${basePath}`,
    ...options,
  });
  opened.push(adaptor);
  const answer = await adaptor.ask({ prompt: 'Look', images: [await image(32, 32)], ...request });
  return { answer, request: server.requests.at(-1) };
}

test('Anthropic: images stand before the text, in the version that it is written for; what stays is kept', async () => {
  const { request } = await askOf('anthropic', {}, { system: 'Be brief.' });
  expect(request?.headers['anthropic-version']).toBe('2026-10-21');
  expect(request?.body).toMatchObject({
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    messages: [{ content: [{ type: 'image' }, { type: 'text', text: 'Look' }] }],
  });
});

test('OpenAI: the detail goes with each image, nothing is stored, and equal questions have one cache key', async () => {
  const keys: unknown[] = [];
  for (const api of ['responses', 'chat'] as const) {
    for (const prompt of ['Look', 'Look', 'Look again']) {
      const { request } = await askOf('openai', api === 'chat' ? { api, detail: 'low' } : { detail: 'low' }, {
        prompt,
      });
      expect(JSON.stringify(request?.body)).toMatch(/"detail":"low"/);
      expect(request?.body).toMatchObject({ store: false, stream: true });
      keys.push(request?.body.prompt_cache_key);
    }
  }
  expect(keys[0]).toMatch(/^cap-[0-9a-f]{32}$/);
  expect(keys).toEqual([keys[0], keys[0], keys[2], keys[0], keys[0], keys[2]]);
  expect(keys[2]).not.toBe(keys[0]);
});

test('Gemini: the detail is a resolution of each image from 3 on, and of the request before', async () => {
  const three = await askOf('gemini', { detail: 'original' });
  expect(three.request?.body).toMatchObject({
    contents: [{ parts: [{ mediaResolution: { level: 'MEDIA_RESOLUTION_ULTRA_HIGH' } }, { text: 'Look' }] }],
  });
  const two = await askOf('gemini', { model: 'gemini-2.5-flash', detail: 'low' });
  expect(two.request?.body).toMatchObject({ generationConfig: { mediaResolution: 'MEDIA_RESOLUTION_LOW' } });
  await expect(askOf('gemini', { model: 'gemini-2.5-flash', detail: 'original' })).rejects.toThrow('does not offer');
});

test("Qwen: Model Studio looks at all pixels, and a server of one's own is asked nothing that it does not know", async () => {
  const { request } = await askOf('qwen', {});
  expect(request).toMatchObject({
    api: 'dashscope',
    body: { vl_high_resolution_images: true, enable_thinking: false },
  });
  const own = await askOf('qwen', { baseUrl: `${server.origin}/v1`, model: 'Qwen/Qwen3-VL-8B-Instruct' });
  expect(own.request?.api).toBe('chat');
});

test('Ollama: the context has room for the pictures, in powers of two', async () => {
  const small = await askOf('ollama', {});
  expect(small.request?.body.options).toEqual({ num_predict: 2048 });
  const large = await askOf('ollama', {}, { images: [await image(1920, 1080)], maxOutputTokens: 3000 });
  expect(large.request?.body.options).toEqual({ num_predict: 3000, num_ctx: 8192 });
});

describe('DeepSeek-OCR', () => {
  const page =
    '<|ref|>title<|/ref|><|det|>[[0, 0, 999, 100]]<|/det|>\n# Build\n\n<|ref|>text<|/ref|><|det|>[[100, 500, 600, 999]]<|/det|>\nAll tests pass.<｜end▁of▁sentence｜>';

  test('is asked as it was trained, and says where its text stands', async () => {
    server.script({ kind: 'answer', deltas: [page.slice(0, 30), page.slice(30)] });
    const shown: string[] = [];
    const { answer, request } = await askOf(
      'deepseek-ocr',
      {},
      {
        prompt: '<image>\n<|grounding|>Convert the document to markdown.',
        images: [await image(1000, 500)],
        onText: (text) => shown.push(text),
      },
    );
    expect(request).toMatchObject({
      prompt: '<|grounding|>Convert the document to markdown.',
      body: { temperature: 0, skip_special_tokens: false, vllm_xargs: { ngram_size: 30, window_size: 90 } },
    });
    expect(answer.text).toBe('# Build\n\nAll tests pass.');
    expect(shown).toEqual([answer.text]);
    expect(answer.lines).toEqual([
      { text: '# Build', box: { x: 0, y: 0, width: 1000, height: 50 } },
      { text: 'All tests pass.', box: { x: 100, y: 250, width: 501, height: 250 } },
    ]);
  });

  test('plain reading has the words in the tags', async () => {
    server.script({
      kind: 'answer',
      deltas: [
        '<|ref|>Save<|/ref|><|det|>[[1, 1, 9, 9], [500, 1, 600, 9]]<|/det|>\n<|ref|>Quit<|/ref|><|det|>[[0, 0, 99, 99]]<|/det|>',
      ],
    });
    const { answer } = await askOf(
      'deepseek-ocr',
      {},
      { prompt: '<|grounding|>OCR this image.', images: [await image(999, 999)] },
    );
    expect(answer.text).toBe('Save\nQuit');
    expect(answer.lines?.map(({ text }) => text)).toEqual(['Save', 'Save', 'Quit']);
  });

  test.each([{ system: 'Be brief.' }, { history: [] }, { schema: { type: 'object' } }])(
    'takes no %o',
    async (conversation) => {
      await expect(askOf('deepseek-ocr', {}, conversation)).rejects.toMatchObject({ code: 'CAP_USAGE' });
    },
  );
});
