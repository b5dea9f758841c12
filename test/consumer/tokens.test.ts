import { describe, expect, test } from 'vitest';
import { profileOf } from '../../src/consumer/models.js';
import { anthropicPatches, HIGH_TIER, STANDARD_TIER } from '../../src/consumer/tokens/anthropic.js';
import { deepSeekOcr2, deepSeekOcrGundam } from '../../src/consumer/tokens/deepseek-ocr.js';
import type { ImageDetail, ImageFormula } from '../../src/consumer/tokens/formula.js';
import { budgetGrid, geminiBudget, geminiTiles } from '../../src/consumer/tokens/gemini.js';
import { internVlTiles } from '../../src/consumer/tokens/internvl.js';
import { llama4Tiles, llama32Tiles } from '../../src/consumer/tokens/llama.js';
import { pixtralPatches } from '../../src/consumer/tokens/pixtral.js';
import { qwenCells, smartResize } from '../../src/consumer/tokens/qwen.js';
import { parseSize, type Size } from '../../src/core/index.js';

function size(text: string): Size {
  const parsed = parseSize(text);
  if (!parsed) throw new Error(text);
  return parsed;
}

/** Rows are `size: number for each formula`, as the providers publish them. */
function expectTable(formulas: readonly ImageFormula[], table: Record<string, readonly number[]>): void {
  for (const [text, expected] of Object.entries(table)) {
    const found = formulas.map((formula) => formula(size(text), 'auto').tokens);
    expect({ size: text, tokens: found }).toEqual({ size: text, tokens: expected });
  }
}

const openAi = (model: string, detail?: ImageDetail): ImageFormula => {
  const { formula } = profileOf('openai', model);
  return detail ? (picture) => formula(picture, detail) : formula;
};

describe('OpenAI', () => {
  test('tile and patch families count the published examples', () => {
    const models = [
      'gpt-4o',
      'gpt-4.1',
      'gpt-5.1',
      'o3',
      'gpt-4o-mini',
      'gpt-6-astra',
      'gpt-5.6-sol',
      'gpt-5.5',
      'gpt-5.4',
      'gpt-4.1-mini',
    ];
    const patchFamilies = (tokens: number): number[] => [tokens, tokens, tokens, tokens];
    expectTable(
      models.map((model) => openAi(model)),
      {
        '1920x1080': [1105, 1105, 910, 975, 36835, ...patchFamilies(2448), 3305],
        '1280x720': [1105, 1105, 910, 975, 36835, ...patchFamilies(1104), 1491],
        '960x540': [765, 765, 630, 675, 25501, ...patchFamilies(612), 827],
        '640x360': [425, 425, 350, 375, 14167, ...patchFamilies(288), 389],
        '1024x1024': [765, 765, 630, 675, 25501, ...patchFamilies(1229), 1659],
        '512x512': [255, 255, 210, 225, 8500, ...patchFamilies(308), 415],
      },
    );
  });

  test('a 4K picture at each detail', () => {
    const uhd = size('3840x2160');
    expect(openAi('gpt-6-astra')(uhd, 'auto').tokens).toBe(9792);
    expect(openAi('gpt-5.6-terra')(uhd, 'auto').tokens).toBe(9792);
    expect(openAi('gpt-6-astra')(uhd, 'high')).toEqual({ tokens: 2931, seen: size('2104x1184') });
    for (const model of ['gpt-5.6-sol', 'gpt-5.5', 'gpt-5.4']) {
      expect(openAi(model)(uhd, 'high')).toEqual({ tokens: 2765, seen: size('2048x1152') });
    }
  });

  test('low detail, and the two examples of the guide itself', () => {
    expect(openAi('gpt-5.6-luna')(size('1920x1080'), 'low')).toEqual({ tokens: 173, seen: size('512x288') });
    expect(openAi('gpt-6-astra')(size('1024x1024'), 'low').tokens).toBe(308);
    expect(openAi('gpt-4o')(size('1920x1080'), 'low').tokens).toBe(85);
    expect(openAi('gpt-6-astra')(size('2048x2048'), 'high').tokens).toBe(3000);
    expect(openAi('gpt-6-astra')(size('4096x512'), 'high').tokens).toBe(2458);
  });

  test('original is refused where the model does not offer it', () => {
    expect(() => openAi('gpt-5.2')(size('640x360'), 'original')).toThrow(/does not offer/);
  });
});

test('Anthropic: both tiers count and resize as published', () => {
  const high = anthropicPatches(HIGH_TIER);
  const standard = anthropicPatches(STANDARD_TIER);
  expectTable([high, standard], {
    '1920x1080': [2691, 1560],
    '1280x720': [1196, 1196],
    '960x540': [700, 700],
    '640x360': [299, 299],
    '1024x1024': [1369, 1369],
    '3840x2160': [4784, 1560],
  });
  expect(standard(size('1920x1080'), 'auto').seen).toEqual(size('1456x819'));
  expect(high(size('3840x2160'), 'auto').seen).toEqual(size('2576x1449'));
  expect(high(size('2160x3840'), 'auto').seen).toEqual(size('1449x2576'));
});

test('Gemini: tiles up to 2.5, a budget from 3 on', () => {
  expectTable([geminiTiles, geminiBudget], {
    '1920x1080': [1548, 1100],
    '1280x720': [1548, 1100],
    '960x540': [1548, 1100],
    '640x360': [1548, 1100],
    '1024x1024': [1032, 1089],
    '384x384': [258, 1089],
  });
  const budgets = [280, 560, 1120, 2240];
  expect(budgets.map((budget) => budgetGrid(16 / 9, budget))).toEqual([264, 527, 1100, 2205]);
  expect(budgets.map((budget) => budgetGrid(1, budget))).toEqual([256, 529, 1089, 2209]);
  expect(geminiBudget(size('1920x1080'), 'low').tokens).toBe(264);
  expect(geminiTiles(size('1920x1080'), 'low').tokens).toBe(64);
  expect(() => geminiTiles(size('1920x1080'), 'original')).toThrow('does not offer');
});

test('Qwen2.5-VL and Qwen3-VL: cells after the smart resize', () => {
  const small = { cellPx: 28, minTokens: 4, maxTokens: 1280 } as const;
  const large = { cellPx: 28, minTokens: 4, maxTokens: 16_384 } as const;
  const third = { cellPx: 32, minTokens: 4, maxTokens: 16_384 } as const;
  expectTable([qwenCells(small), qwenCells(large), qwenCells(third)], {
    '1920x1080': [1222, 2691, 2040],
    '1280x720': [1196, 1196, 880],
    '960x540': [646, 646, 510],
    '640x360': [299, 299, 220],
    '1024x1024': [1225, 1369, 1024],
  });
  expect(smartResize(size('1920x1080'), small)).toEqual(size('1316x728'));
  expect(smartResize(size('1920x1080'), large)).toEqual(size('1932x1092'));
  expect(smartResize(size('1280x720'), third)).toEqual(size('1280x704'));
  expect(() => qwenCells(third)(size('4020x20'), 'auto')).toThrow(/too narrow/);
});

test('Qwen: Model Studio bills the two tokens that mark a picture, too', () => {
  const hosted = qwenCells({ cellPx: 32, minTokens: 4, maxTokens: 16_384, markerTokens: 2 });
  expectTable([hosted], { '1920x1080': [2042], '640x360': [222] });
  expect(hosted(size('1280x720'), 'auto').seen).toEqual(size('1280x704'));
  expect(hosted(size('1920x1080'), 'auto').seen).toEqual(size('1920x1080'));
});

test('InternVL, Llama 3.2 Vision, Llama 4 and Pixtral', () => {
  expectTable([internVlTiles, llama32Tiles, llama4Tiles, pixtralPatches], {
    '1920x1080': [2306, 6404, 2322, 2340],
    '1280x720': [2306, 6404, 1887, 2340],
    '960x540': [770, 3202, 1017, 2074],
    '640x360': [770, 3202, 727, 943],
    '1024x1024': [2562, 6404, 2467, 4160],
    '512x512': [258, 1601, 727, 1056],
  });
});

test('DeepSeek-OCR: Gundam with 6 and with 9 crops, and the second version', () => {
  expectTable([deepSeekOcrGundam(6), deepSeekOcrGundam(9)], {
    '1920x1080': [483, 1093],
    '1280x720': [483, 483],
    '960x540': [483, 483],
    '640x360': [273, 273],
    '1024x1024': [693, 693],
    '1080x1920': [493, 1113],
  });
  expectTable([deepSeekOcr2], {
    '1920x1080': [545],
    '1280x720': [545],
    '960x540': [545],
    '640x360': [257],
    '1024x1024': [833],
  });
});
