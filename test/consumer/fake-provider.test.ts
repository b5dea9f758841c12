import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';

// The fake server is only worth something if it refuses what the real ones refuse.

let server: FakeProvider;
let png: string;
let webp: string;
let large: string;

beforeAll(async () => {
  server = await FakeProvider.start();
  const drawn = sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } });
  png = (await drawn.clone().png().toBuffer()).toString('base64');
  webp = (await drawn.clone().webp().toBuffer()).toString('base64');
  large = (await drawn.clone().resize(8001, 10, { fit: 'fill' }).png().toBuffer()).toString('base64');
});
afterAll(() => server.close());

type Body = Record<string, unknown>;

async function post(
  path: string,
  headers: Record<string, string>,
  body: Body,
): Promise<{ status: number; error: Body }> {
  const response = await fetch(`${server.origin}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, error: response.ok ? {} : (JSON.parse(text) as { error: Body }).error };
}

describe('Anthropic Messages', () => {
  const headers = { 'x-api-key': FAKE_KEY, 'anthropic-version': '2026-10-21' };
  const source = (): Body => ({ type: 'base64', media_type: 'image/png', data: png });
  const body = (changes: Body = {}, image: Body = source(), count = 1): Body => ({
    model: 'claude-haiku-5-5',
    max_tokens: 10,
    messages: [
      {
        role: 'user',
        content: [...Array(count).fill({ type: 'image', source: image }), { type: 'text', text: 'Look' }],
      },
    ],
    stream: true,
    ...changes,
  });
  const ask = (changes?: Body, image?: Body, count?: number) =>
    post('/v1/messages', headers, body(changes, image, count));

  test('accepts a good request', async () => {
    expect((await ask()).status).toBe(200);
    expect(server.requests.at(-1)?.images[0]).toMatchObject({ width: 40, height: 30, mediaType: 'image/png' });
  });

  test('refuses keys, versions and models', async () => {
    const wrongKey = await post('/v1/messages', { ...headers, 'x-api-key': 'other' }, body());
    expect(wrongKey).toMatchObject({ status: 401, error: { type: 'authentication_error' } });
    const version = await post('/v1/messages', { ...headers, 'anthropic-version': '2024-01-01' }, body());
    expect(version).toMatchObject({ status: 400, error: { type: 'invalid_request_error' } });
    expect((await ask({ model: 'gpt-4o' })).status).toBe(404);
  });

  test('refuses sampling parameters, unknown fields and a missing limit', async () => {
    expect((await ask({ temperature: 0.2 })).error.message).toContain('temperature');
    expect((await ask({ top_p: 1 })).status).toBe(400);
    expect((await ask({ max_output_tokens: 5 })).status).toBe(400);
    expect((await ask({ max_tokens: undefined })).status).toBe(400);
    expect((await ask({}, { ...source(), detail: 'high' })).error.message).toContain('detail');
  });

  test('refuses images that are not what they claim to be', async () => {
    expect((await ask({}, { ...source(), media_type: 'image/jpeg' })).error.message).toContain('does not match');
    expect((await ask({}, { ...source(), data: `data:image/png;base64,${png}` })).error.message).toContain('base64');
    expect((await ask({}, { ...source(), data: png.slice(0, -2) })).error.message).toContain('base64');
    expect((await ask({}, { ...source(), data: png.slice(0, 40) })).error.message).toContain('Could not process');
    expect((await ask({}, { ...source(), media_type: 'image/bmp' })).error.message).toContain('Unsupported');
    expect((await ask({}, { ...source(), data: large })).error.message).toContain('8000');
  });

  test('refuses too much', async () => {
    expect((await ask({}, source(), 601)).error.message).toContain('too many images');
    const data = await sharp({ create: { width: 2001, height: 8, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const wide = { ...source(), data: data.toString('base64') };
    expect((await ask({}, wide, 20)).status).toBe(200);
    expect((await ask({}, wide, 21)).error.message).toContain('many-image');
    expect((await ask({ system: 'x'.repeat(32_000_000) })).status).toBe(413);
  });
});

describe('OpenAI Responses', () => {
  const headers = { authorization: `Bearer ${FAKE_KEY}` };
  const image = (): Body => ({ type: 'input_image', image_url: `data:image/png;base64,${png}`, detail: 'high' });
  const body = (changes: Body = {}, part: Body = image()): Body => ({
    model: 'gpt-5.6-luna',
    input: [{ role: 'user', content: [{ type: 'input_text', text: 'Look' }, part] }],
    stream: true,
    ...changes,
  });
  const ask = (changes?: Body, part?: Body) => post('/v1/responses', headers, body(changes, part));

  test('accepts a good request and refuses keys, models and fields', async () => {
    expect((await ask()).status).toBe(200);
    expect(await post('/v1/responses', { authorization: 'Bearer other' }, body())).toMatchObject({
      status: 401,
      error: { code: 'invalid_api_key', param: null },
    });
    expect(await ask({ model: 'gpt-0' })).toMatchObject({ status: 404, error: { code: 'model_not_found' } });
    expect((await ask({ max_tokens: 5 })).error.message).toContain("Unknown parameter: 'max_tokens'");
    expect((await ask({}, { ...image(), media_type: 'image/png' })).error.message).toContain('media_type');
    expect((await ask({}, { ...image(), detail: 'ultra' })).error.message).toContain('detail');
    expect((await ask({}, { ...image(), image_url: png })).error.message).toContain('data URL');
    expect((await ask({}, { ...image(), image_url: `data:image/webp;base64,${png}` })).error.message).toContain(
      'does not match',
    );
  });

  test('refuses more than 30,000 patches where nothing is scaled', async () => {
    const data = await sharp({ create: { width: 32, height: 32 * 30_001, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const tall = { ...image(), image_url: `data:image/png;base64,${data.toString('base64')}` };
    expect((await ask({}, { ...tall, detail: 'original' })).error.code).toBe('image_too_large');
    expect((await ask({}, { ...tall, detail: 'high' })).status).toBe(200);
  });
});

describe('Chat Completions', () => {
  const headers = { authorization: `Bearer ${FAKE_KEY}` };
  const ask = (imageUrl: Body, changes: Body = {}) =>
    post('/v1/chat/completions', headers, {
      model: 'Qwen/Qwen3-VL-8B-Instruct',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: imageUrl },
          ],
        },
      ],
      stream: true,
      ...changes,
    });

  test('accepts the common denominator and nothing more', async () => {
    const url = `data:image/png;base64,${png}`;
    expect((await ask({ url })).status).toBe(200);
    expect((await ask({ url, detail: 'high' })).error.message).toContain('detail');
    expect((await ask({ url: 'https://example.org/a.png' })).error.message).toContain('data URL');
    expect((await ask({ url: `data:image/webp;base64,${webp}` })).error.message).toContain('Unsupported');
    expect((await ask({ url }, { max_completion_tokens: 5 })).status).toBe(400);
    expect((await ask({ url }, { model: 'other' })).status).toBe(404);
  });
});
