import { afterEach, expect, test, vi } from 'vitest';
import { openAdaptor, PROVIDERS } from '../../src/consumer/index.js';

afterEach(() => vi.unstubAllEnvs());

test('keys come from the variable that the provider names', async () => {
  for (const provider of PROVIDERS) {
    if (!provider.keyVariable) continue;
    const options = { model: 'some-model', ...(provider.baseUrlRequired ? { baseUrl: 'http://127.0.0.1:9/v1' } : {}) };
    vi.stubEnv(provider.keyVariable, '');
    const opened = openAdaptor(provider.name, options);
    if (provider.keyRequired) {
      await expect(opened).rejects.toMatchObject({
        code: 'CAP_PROVIDER_AUTH',
        hint: expect.stringContaining(provider.keyVariable),
      });
    } else {
      await (await opened).close();
    }
    vi.stubEnv(provider.keyVariable, 'key-from-the-environment');
    const adaptor = await openAdaptor(provider.name, options);
    expect(adaptor).toMatchObject({ provider: provider.name, model: 'some-model' });
    await adaptor.close();
  }
});

test('each provider but the compatible one has a default model, and its row in the table is no guess', async () => {
  const lines: string[] = [];
  const logger = {
    debug() {},
    info() {},
    warn: (line: string) => void lines.push(line),
    error() {},
    child: () => logger,
  };
  for (const { name, defaultModel, baseUrlRequired } of PROVIDERS) {
    if (name === 'openai-compatible') continue;
    const base = baseUrlRequired ? { baseUrl: 'http://127.0.0.1:9/v1' } : {};
    const adaptor = await openAdaptor(name, { apiKey: 'some-api-key', logger, ...base });
    expect(adaptor.model).toBe(defaultModel);
    await adaptor.close();
  }
  expect(lines).toEqual([]);
});

test('bad options are refused with a hint', async () => {
  await expect(openAdaptor('gpt')).rejects.toMatchObject({
    code: 'CAP_USAGE',
    message:
      'expected one of local, openai, openai-compatible, anthropic, gemini, qwen, deepseek-ocr, ollama for provider, received "gpt"',
  });
  await expect(openAdaptor('openai', { apikey: 'x' } as object)).rejects.toThrow('unknown option "apikey"');
  await expect(openAdaptor('openai', { apiKey: 'some-key', detail: 'huge' as 'high' })).rejects.toThrow(
    'for detail, received "huge"',
  );
  await expect(openAdaptor('openai', { apiKey: 'some-key', model: 'gpt-5.2', detail: 'original' })).rejects.toThrow(
    'does not offer',
  );
  await expect(openAdaptor('openai', { apiKey: 'some-key', api: 'batch' as 'chat' })).rejects.toThrow('for api');
  await expect(openAdaptor('anthropic', { apiKey: 'some-key', api: 'chat' })).rejects.toThrow('has one interface');
  await expect(openAdaptor('deepseek-ocr')).rejects.toMatchObject({ hint: expect.stringContaining('8000') });
  await expect(openAdaptor('openai-compatible', { model: 'm' })).rejects.toMatchObject({
    code: 'CAP_USAGE',
    hint: expect.stringContaining('11434'),
  });
  await expect(openAdaptor('openai-compatible', { model: 'm', baseUrl: 'localhost:11434' })).rejects.toThrow(
    'an http(s) URL',
  );
  await expect(openAdaptor('openai-compatible', { baseUrl: 'http://127.0.0.1:9/v1' })).rejects.toThrow('needs a model');
});

test("a Qwen server of one's own needs no key", async () => {
  vi.stubEnv('DASHSCOPE_API_KEY', '');
  const adaptor = await openAdaptor('qwen', { baseUrl: 'http://127.0.0.1:8000/v1' });
  expect(adaptor.model).toBe('qwen3-vl-flash');
  await adaptor.close();
});
