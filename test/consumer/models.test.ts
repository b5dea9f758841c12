import { expect, test } from 'vitest';
import { MODELS, profileOf } from '../../src/consumer/models.js';
import { costUsd, PRICES, priceOf } from '../../src/consumer/prices.js';
import { createStreamLogger } from '../../src/core/index.js';

function tokensAt1080p(vendor: Parameters<typeof profileOf>[0], model: string): number {
  return profileOf(vendor, model).formula({ width: 1920, height: 1080 }, 'auto').tokens;
}

test('Claude models fall into their tier by version', () => {
  const standard = [
    'claude-haiku-4-5',
    'claude-haiku-4-5-20251001',
    'claude-opus-4-6',
    'claude-sonnet-4-20250514',
    'claude-3-7-sonnet-latest',
  ];
  const high = [
    'claude-opus-4-7',
    'claude-opus-4-8',
    'claude-opus-5',
    'claude-haiku-5-5',
    'claude-fable-5-2',
    'claude-mythos-preview',
  ];
  expect(standard.map((model) => tokensAt1080p('anthropic', model))).toEqual(standard.map(() => 1560));
  expect(high.map((model) => tokensAt1080p('anthropic', model))).toEqual(high.map(() => 2691));
});

test('names of open models are matched without owner, case and tag', () => {
  expect(tokensAt1080p('open-weights', 'Qwen/Qwen3-VL-8B-Instruct')).toBe(2040);
  expect(tokensAt1080p('open-weights', 'qwen2.5vl:7b')).toBe(2691);
  expect(tokensAt1080p('open-weights', 'deepseek-ai/DeepSeek-OCR')).toBe(483);
  expect(tokensAt1080p('open-weights', 'deepseek-ai/DeepSeek-OCR-2')).toBe(545);
});

test('dated names of OpenAI models keep their family', () => {
  expect(tokensAt1080p('openai', 'gpt-4o-2024-11-20')).toBe(1105);
  expect(tokensAt1080p('openai', 'gpt-4o-mini-2024-07-18')).toBe(36_835);
  expect(tokensAt1080p('openai', 'gpt-5.4-mini-2026-03-17')).toBe(2448);
  expect(tokensAt1080p('openai', 'gpt-5-2025-08-07')).toBe(910);
});

test('an unknown model falls back within its vendor and warns', () => {
  const lines: string[] = [];
  const logger = createStreamLogger({ stream: { write: (line: string) => lines.push(line) } });
  expect(profileOf('anthropic', 'somebody-1', logger).limits.maxImages).toBe(20);
  expect(lines.join('')).toMatch(/^warn: unknown model.*somebody-1.*4\.7 and later/);
  profileOf('anthropic', 'claude-opus-5', logger);
  profileOf('local', 'pp-ocrv4', logger);
  expect(lines).toHaveLength(1);
});

test('an unknown model of a known family is counted as its nearest relative, and warns', () => {
  const lines: string[] = [];
  const logger = createStreamLogger({ stream: { write: (line: string) => lines.push(line) } });
  const rows = [
    profileOf('openai', 'gpt-6-luna', logger),
    profileOf('openai', 'gpt-5.8-sol', logger),
    profileOf('google', 'gemini-4-flash', logger),
    profileOf('open-weights', 'Qwen/Qwen4-VL-8B', logger),
    profileOf('qwen', 'qwen4-plus', logger),
  ];
  expect(rows.map(({ assumed }) => assumed)).toEqual(rows.map(() => true));
  expect(lines.map((line) => /assumed to count as ([\w.-]+( \d)?)/.exec(line)?.[1])).toEqual([
    'gpt-6-astra',
    'gpt-5.6',
    'Gemini 3',
    'Qwen3-VL',
    'Qwen3-VL',
  ]);
});

test('other open models are known by their names', () => {
  expect(tokensAt1080p('open-weights', 'OpenGVLab/InternVL3-8B')).toBe(2306);
  expect(tokensAt1080p('open-weights', 'meta-llama/Llama-3.2-11B-Vision-Instruct')).toBe(6404);
  expect(tokensAt1080p('open-weights', 'meta-llama/Llama-4-Scout-17B-16E-Instruct')).toBe(2322);
  expect(tokensAt1080p('open-weights', 'mistralai/Pixtral-12B-2409')).toBe(2340);
  expect(tokensAt1080p('open-weights', 'moondream2')).toBe(729);
  expect(tokensAt1080p('qwen', 'qwen3-vl-plus')).toBe(2042);
});

test('the prices name their source and date, and cached tokens cost less', () => {
  for (const { source, date, inputUsd, cachedUsd = inputUsd, outputUsd } of PRICES) {
    expect(source).not.toBe('');
    expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(cachedUsd).toBeLessThan(inputUsd);
    expect(outputUsd).toBeGreaterThan(inputUsd);
  }
  const price = priceOf('gpt-5.6-luna-2026-07-09');
  if (!price) throw new Error('no price');
  expect(costUsd({ inputTokens: 1_000_000, cachedTokens: 500_000, outputTokens: 100_000 }, price)).toBeCloseTo(
    0.1 + 0.01 + 0.12,
    9,
  );
  expect(priceOf('gpt-5.6-sol')?.inputUsd).toBe(5);
  expect(priceOf('gpt-5.6-terra')?.inputUsd).toBe(2);
  expect(priceOf('qwen2.5vl:7b')).toBeUndefined();
});

test('every row names its source and date, and its scaled size costs what the picture costs', () => {
  const sizes = [
    { width: 640, height: 360 },
    { width: 1920, height: 1080 },
    { width: 3840, height: 2160 },
    { width: 3440, height: 1440 },
    { width: 1080, height: 1920 },
  ];
  for (const model of MODELS) {
    expect(model.source).not.toBe('');
    expect(model.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    for (const size of sizes) {
      const { seen, tokens } = model.formula(size, 'high');
      expect(seen.width).toBeLessThanOrEqual(size.width);
      expect(seen.height).toBeLessThanOrEqual(size.height);
      expect({ model: String(model.pattern), size, tokens: model.formula(seen, 'high').tokens }).toEqual({
        model: String(model.pattern),
        size,
        tokens,
      });
    }
  }
});
