import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CapError } from '../../src/core/index.js';
import { DEFAULT_TOKEN_MODEL, presetTable } from '../../src/session/preset-table.js';

const fullHd = { width: 1920, height: 1080 };
const tokensOf = (model: string) =>
  Object.fromEntries(presetTable(fullHd, { model }).map(({ name, tokens }) => [name, tokens]));

let configHome: string;
beforeEach(() => {
  configHome = mkdtempSync(join(tmpdir(), 'cap-config-'));
  vi.stubEnv('XDG_CONFIG_HOME', configHome);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(configHome, { recursive: true, force: true });
});

describe('presetTable', () => {
  test('has the five presets with sizes and tokens', () => {
    // 28 px patches: 42x24, 34x19, 25x14, 23x13 and 21x12.
    const sizes = presetTable(fullHd).map(({ name, factor, width, height, sent, tokens }) => {
      return [name, factor, `${width}x${height}`, `${sent.width}x${sent.height}`, tokens];
    });
    expect(sizes).toEqual([
      ['p2_56', 2.56, '1200x676', '1176x672', 1008],
      ['p4', 4, '960x540', '952x532', 646],
      ['p6_9', 6.9, '730x412', '694x392', 350],
      ['p9', 9, '640x360', '640x360', 299],
      ['p10_24', 10.24, '600x338', '588x336', 252],
    ]);
    expect(presetTable(fullHd)).toEqual(presetTable(fullHd, { model: DEFAULT_TOKEN_MODEL }));
  });

  test('counts as the chosen model does', () => {
    expect(tokensOf('gpt-4o')).toMatchObject({ p4: 425, p9: 425 });
    expect(tokensOf('gpt-5.6-sol')).toMatchObject({ p4: 612, p9: 264 });
    expect(tokensOf('claude-haiku-4-5')).toMatchObject({ p4: 646, p9: 299 });
    expect(tokensOf('qwen3-vl-plus')).toMatchObject({ p4: 512, p9: 222 });
    expect(tokensOf('Qwen/Qwen3-VL-8B-Instruct')).toMatchObject({ p4: 510, p9: 220 });
    expect(tokensOf('gemini-2.5-pro')).toMatchObject({ p4: 1548, p9: 1548 });
    expect(tokensOf('deepseek-ocr')).toMatchObject({ p4: 483, p9: 273 });
  });

  test('says what the pictures of an hour cost, at the known price or the one given', () => {
    const priceOfP4 = (options: object) => presetTable(fullHd, options).find(({ name }) => name === 'p4')?.usdPerHour;
    // 720 pictures of 612 tokens at $5 a million.
    expect(priceOfP4({ model: 'gpt-5.6-sol', everyMs: 5000 })).toBeCloseTo((720 * 612 * 5) / 1e6, 9);
    expect(priceOfP4({ model: 'gpt-5.6-sol', everyMs: 5000, usdPerMillion: 1 })).toBeCloseTo((720 * 612) / 1e6, 9);
    expect(priceOfP4({ model: 'gpt-5.6-sol' })).toBeUndefined();
    expect(() => presetTable(fullHd, { model: 'gpt-4o', everyMs: 5000 })).toThrow('the price of the model "gpt-4o"');
  });

  test('bounds the long side and has the presets of the user', () => {
    const folder = join(configHome, 'cap', 'presets');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'half.json'), '{ "name": "half", "factor": 2, "maxLongSide": 1024 }');
    const rows = presetTable(fullHd, { maxLongSidePx: 700 });
    expect(rows.map(({ name, width, height }) => `${name} ${width}x${height}`)).toEqual([
      'p2_56 700x394',
      'p4 700x394',
      'p6_9 700x394',
      'p9 640x360',
      'p10_24 600x338',
      'half 700x394',
    ]);
    expect(presetTable(fullHd).at(-1)).toMatchObject({ name: 'half', width: 1024, height: 576 });
  });

  test.each(['llama', 'gpt', 'claude', ''])('refuses a model that no table names: "%s"', (model) => {
    expect(() => presetTable(fullHd, { model })).toThrow(CapError);
    expect(() => presetTable(fullHd, { model })).toThrow(`the model "${model}"`);
  });

  test('names only models that it knows in its hint', () => {
    try {
      presetTable(fullHd, { model: 'nothing' });
      expect.fail('the model was accepted');
    } catch (error) {
      const named = (error as CapError).hint
        ?.match(/(?<=such as |, |or )[a-z0-9.-]+/g)
        ?.filter((name) => name !== 'or');
      expect(named).toHaveLength(5);
      for (const model of named ?? []) expect(presetTable(fullHd, { model })).toHaveLength(5);
    }
  });
});
