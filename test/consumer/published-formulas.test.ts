import { describe, expect, test } from 'vitest';
import { fitSize } from '../../src/consumer/fit-size.js';
import { type ModelVendor, profileOf } from '../../src/consumer/models.js';
import type { Size } from '../../src/core/index.js';
import { seededRandom } from '../support/prng.js';

// Each provider's published rule once more, written down plainly and apart from ours, for 200 sizes.

type Rule = (width: number, height: number) => number;

const cells = (side: number, px: number): number => Math.ceil(side / px);

/** Python's round(): halves to the even neighbour. */
function pythonRound(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down + (down % 2);
}

/** OpenAI, patches: fit into the square, then shrink by the ratio and the correction that the guide gives. */
function patches(maxDim: number, budget: number, multiplier: number): Rule {
  return (width, height) => {
    const fit = Math.min(1, maxDim / Math.max(width, height));
    let [w, h] = [Math.round(width * fit), Math.round(height * fit)];
    if (cells(w, 32) * cells(h, 32) > budget) {
      const r = Math.sqrt((32 * 32 * budget) / (w * h));
      const corrected =
        r * Math.min(Math.floor((w * r) / 32) / ((w * r) / 32), Math.floor((h * r) / 32) / ((h * r) / 32));
      [w, h] = [Math.floor(w * corrected), Math.floor(h * corrected)];
    }
    return cells(w, 32) * cells(h, 32) * multiplier;
  };
}

function tiles(base: number, perTile: number): Rule {
  return (width, height) => {
    const fit = Math.min(1, 2048 / Math.max(width, height));
    let [w, h] = [width * fit, height * fit];
    const shorter = Math.min(w, h);
    if (shorter > 768) [w, h] = [(w * 768) / shorter, (h * 768) / shorter];
    return base + perTile * cells(Math.floor(w + 1e-6), 512) * cells(Math.floor(h + 1e-6), 512);
  };
}

/** Anthropic: every long edge is tried from the top. */
function anthropic(maxEdge: number, maxTokens: number): Rule {
  return (width, height) => {
    const long = Math.max(width, height);
    const short = Math.min(width, height);
    for (let edge = long; edge > 0; edge -= 1) {
      const other = Math.max(1, pythonRound((edge * short) / long));
      const fits = cells(edge, 28) * 28 <= maxEdge && cells(edge, 28) * cells(other, 28) <= maxTokens;
      if (fits) return cells(edge, 28) * cells(other, 28);
    }
    return 0;
  };
}

/** qwen_vl_utils.smart_resize. */
function qwen(factor: number, maxPixels: number, markers: number): Rule {
  return (width, height) => {
    let w = Math.max(factor, pythonRound(width / factor) * factor);
    let h = Math.max(factor, pythonRound(height / factor) * factor);
    if (w * h > maxPixels) {
      const beta = Math.sqrt((width * height) / maxPixels);
      w = Math.max(factor, Math.floor(width / beta / factor) * factor);
      h = Math.max(factor, Math.floor(height / beta / factor) * factor);
    }
    return (w * h) / (factor * factor) + markers;
  };
}

const geminiTwo: Rule = (width, height) => {
  if (width <= 384 && height <= 384) return 258;
  const unit = Math.max(256, Math.min(768, Math.floor(Math.min(width, height) / 1.5)));
  return 258 * cells(width, unit) * cells(height, unit);
};

const geminiThree: Rule = (width, height) =>
  Math.floor(Math.sqrt((1120 * width) / height)) * Math.floor(Math.sqrt((1120 * height) / width));

/** DeepSeek-OCR as in vLLM: two to six tiles of the closest form; in between, more of them for a large picture. */
const deepSeek: Rule = (width, height) => {
  if (width <= 640 && height <= 640) return 273;
  let best = { columns: 1, rows: 1, away: Number.POSITIVE_INFINITY };
  for (let count = 2; count <= 6; count += 1) {
    for (let columns = 1; columns <= count; columns += 1) {
      const rows = count / columns;
      const away = Math.abs(width / height - columns / rows);
      const isTie = away === best.away && width * height > 0.5 * 640 * 640 * count;
      if (Number.isInteger(rows) && (away < best.away || isTie)) best = { columns, rows, away };
    }
  }
  return 273 + 10 * best.rows * (10 * best.columns + 1);
};

const PUBLISHED: readonly { vendor: ModelVendor; model: string; rule: Rule }[] = [
  { vendor: 'openai', model: 'gpt-6-astra', rule: patches(65_535, 2500, 1.2) },
  { vendor: 'openai', model: 'gpt-5.6-luna', rule: patches(2048, 2500, 1.2) },
  { vendor: 'openai', model: 'gpt-5.2', rule: patches(2048, 6144, 1.2) },
  { vendor: 'openai', model: 'gpt-4.1-mini', rule: patches(2048, 6144, 1.62) },
  { vendor: 'openai', model: 'gpt-4o', rule: tiles(85, 170) },
  { vendor: 'openai', model: 'gpt-5.1', rule: tiles(70, 140) },
  { vendor: 'openai', model: 'o3', rule: tiles(75, 150) },
  { vendor: 'anthropic', model: 'claude-opus-5', rule: anthropic(2576, 4784) },
  { vendor: 'anthropic', model: 'claude-haiku-4-5', rule: anthropic(1568, 1568) },
  { vendor: 'google', model: 'gemini-2.5-flash', rule: geminiTwo },
  { vendor: 'google', model: 'gemini-3.8-flash', rule: geminiThree },
  { vendor: 'qwen', model: 'qwen3-vl-plus', rule: qwen(32, 16_384 * 32 * 32, 2) },
  { vendor: 'open-weights', model: 'qwen2.5vl:7b', rule: qwen(28, 16_384 * 28 * 28, 0) },
  { vendor: 'open-weights', model: 'deepseek-ai/DeepSeek-OCR', rule: deepSeek },
];

/** From a small window to 4K, upright ones among them. */
function sizesToTry(): Size[] {
  const random = seededRandom(2026);
  return Array.from({ length: 200 }, () => ({ width: 200 + random.below(3641), height: 200 + random.below(1961) }));
}

describe.each(PUBLISHED)('$model', ({ vendor, model, rule }) => {
  const { formula, limits } = profileOf(vendor, model);
  const target = { limits, imageCost: (size: Size) => formula(size, 'high') };

  function expectWithin2Percent(size: Size): void {
    const published = rule(size.width, size.height);
    const estimated = formula(size, 'high').tokens;
    const off = Math.abs(estimated - published) / published;
    expect({ size, published, estimated, isNear: off <= 0.02 }).toEqual({ size, published, estimated, isNear: true });
  }

  test('is counted as published, for 200 sizes', () => {
    for (const size of sizesToTry()) expectWithin2Percent(size);
  });

  test('is counted as published for what is sent of them', () => {
    for (const size of sizesToTry()) expectWithin2Percent(fitSize(size, target));
  });
});
