import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Adaptor, AdaptorOptions, EncodedImage } from '../../src/consumer/index.js';
import { openAdaptor } from '../../src/consumer/index.js';
import { CapError, redact } from '../../src/core/index.js';
import { FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../support/fake-provider.js';

let server: FakeProvider;
const opened: Adaptor[] = [];

beforeAll(async () => {
  server = await FakeProvider.start();
});
afterAll(() => server.close());
afterEach(async () => {
  for (const adaptor of opened.splice(0)) await adaptor.close();
  server.requests.length = 0;
  server.attempts = 0;
  server.abandoned = 0;
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

const PROVIDERS = [
  { name: 'openai', model: 'gpt-5.6-luna', keyVariable: 'OPENAI_API_KEY', versioned: true },
  {
    name: 'openai-compatible',
    model: 'Qwen/Qwen3-VL-8B-Instruct',
    keyVariable: 'OPENAI_COMPATIBLE_API_KEY',
    versioned: true,
  },
  { name: 'anthropic', model: 'claude-haiku-5-5', keyVariable: 'ANTHROPIC_API_KEY', versioned: false },
] as const;

describe.each(PROVIDERS)('$name', ({ name, model, keyVariable, versioned }) => {
  async function open(options: AdaptorOptions = {}): Promise<Adaptor> {
    const baseUrl = versioned ? server.baseUrl : server.origin;
    const adaptor = await openAdaptor(name, { model, apiKey: FAKE_KEY, baseUrl, ...options });
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
      system: 'Be brief.',
      images: [await image(640, 360), await image(64, 48, 'image/png')],
      maxOutputTokens: 77,
      onText: (delta) => deltas.push(delta),
    });
    expect(answer).toEqual({
      text: FAKE_DELTAS.join(''),
      model: `${model}-served`,
      usage: { inputTokens: 120, outputTokens: FAKE_DELTAS.length },
    });
    expect(deltas).toEqual(FAKE_DELTAS);
    const [request] = server.requests;
    expect(request?.prompt).toContain('What is this?');
    expect(request?.images.map(({ mediaType, width, height }) => ({ mediaType, width, height }))).toEqual([
      { mediaType: 'image/jpeg', width: 640, height: 360 },
      { mediaType: 'image/png', width: 64, height: 48 },
    ]);
    const sent = JSON.stringify(request?.body);
    expect(sent).toContain('Be brief.');
    expect(sent).toMatch(/"max(_output)?_tokens":77/);
    expect(request?.body).not.toHaveProperty('temperature');
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

  test('a rate limit is tried three times by the SDK and then says how long to wait', async () => {
    const limited = { kind: 'status', status: 429, headers: { 'retry-after-ms': '5' } } as const;
    server.script(limited, limited, limited);
    const error = await failure(await open());
    expect(error.code).toBe('CAP_PROVIDER_UNAVAILABLE');
    expect(error.retryAfterMs).toBe(5);
    expect(server.attempts).toBe(3);
  });

  test('a server error passes when the next try succeeds', async () => {
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
    const address = versioned ? gone.baseUrl : gone.origin;
    await gone.close();
    const error = await failure(await open({ baseUrl: address }));
    expect(error.code).toBe('CAP_PROVIDER_UNAVAILABLE');
    expect(error.message).toContain('ECONNREFUSED');
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

test('images stand before the text for Anthropic, and carry the detail for OpenAI', async () => {
  const picture = await image(32, 32);
  for (const { name, model, versioned } of PROVIDERS) {
    const baseUrl = versioned ? server.baseUrl : server.origin;
    const adaptor = await openAdaptor(name, {
      model,
      apiKey: FAKE_KEY,
      baseUrl,
      ...(name === 'openai' ? { detail: 'low' } : {}),
    });
    opened.push(adaptor);
    await adaptor.ask({ prompt: 'Look', images: [picture] });
  }
  const [openai, , anthropic] = server.requests;
  expect(JSON.stringify(openai?.body)).toMatch(/"detail":"low"/);
  expect(openai?.body).toMatchObject({ store: false, stream: true });
  expect(anthropic?.body).toMatchObject({
    messages: [{ content: [{ type: 'image' }, { type: 'text', text: 'Look' }] }],
  });
  expect(anthropic?.headers['anthropic-version']).toBe('2026-10-21');
});
