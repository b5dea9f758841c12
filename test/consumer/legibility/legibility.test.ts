import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkLegibility } from '../../../src/consumer/legibility/check.js';
import { distanceWithin } from '../../../src/consumer/legibility/edit-distance.js';
import { compareReadings, referenceOf } from '../../../src/consumer/legibility/legibility.js';
import {
  candidatesOf,
  FULL_SIZE,
  GUNDAM,
  presetScaling,
  type Scaling,
} from '../../../src/consumer/legibility/scaling.js';
import { profileOf } from '../../../src/consumer/models.js';
import type { TextReader } from '../../../src/consumer/ocr/page-reader.js';
import { openTextReader } from '../../../src/consumer/ocr/process-reader.js';
import type { Frame, Size } from '../../../src/core/index.js';
import { builtInPresets, presetPlan } from '../../../src/producer/index.js';
import { svgFrame, type TextPageOptions, textPage } from '../../support/frames.js';
import { gundamComposite } from '../../support/gundam-composite.js';

const SCREEN = { width: 1920, height: 1080 };
const PRESETS = builtInPresets().map((preset) =>
  presetScaling(preset.name, (source) => presetPlan(source, preset).canvas),
);
const ALL: readonly Scaling[] = [FULL_SIZE, GUNDAM, ...PRESETS];

let reader: TextReader;
beforeAll(async () => {
  reader = await openTextReader();
});
afterAll(() => reader.close());

function targetOf(vendor: 'openai' | 'anthropic', model: string) {
  const { limits, formula } = profileOf(vendor, model);
  return { limits, imageCost: (size: Size) => formula(size, 'auto') };
}
const CLAUDE = targetOf('anthropic', 'claude-haiku-5-5');
const TILES = targetOf('openai', 'gpt-4o');

const page = (options: Partial<TextPageOptions>): Promise<Frame> =>
  svgFrame(textPage({ ...SCREEN, maxLines: 2, ...options }).svg);

async function check(frame: Frame, target = CLAUDE, scalings = ALL, atLeast = 0.95) {
  const candidates = candidatesOf(frame, target, scalings);
  const found = await checkLegibility({ frame, target, fit: {}, candidates, atLeast }, reader);
  return { ...found, name: found.chosen.scaling.name };
}

describe('edit distance', () => {
  test.each([
    ['error', 'error', 0],
    ['error', 'eror', 1],
    ['error', 'terrors everywhere', 0],
    ['error', 'warning: ermor 7', 1],
    ['error', '', 5],
    ['error', 'xyz', 5],
    ['', 'anything', 0],
  ])('of %j within %j is %i', (text, found, distance) => {
    expect(distanceWithin(text, found)).toBe(distance);
  });
});

describe('two readings', () => {
  const line = (text: string, x: number, y: number, confidence = 0.99) => ({
    text,
    box: { x, y, width: text.length * 10, height: 20 },
    confidence,
  });

  test('are compared by place and text: the same words elsewhere do not count', () => {
    const reference = [line('Save the file', 100, 100), line('Discard', 100, 400)];
    const { share, characters } = compareReadings(reference, [[line('Save the file', 100, 400)]], SCREEN);
    expect(characters).toBe(18);
    expect(share).toBeLessThan(0.1);
    expect(compareReadings(reference, [reference], SCREEN)).toMatchObject({ share: 1, worst: [] });
  });

  test('are compared by characters, of lines that were cut in two or joined with a neighbour', () => {
    const reference = [line('Total revenue', 100, 100), line('48,310 euros', 300, 102)];
    const joined = [
      { ...line('Total revenue 48,31O euros', 100, 101), box: { x: 100, y: 101, width: 330, height: 20 } },
    ];
    expect(compareReadings(reference, [joined], SCREEN).share).toBeCloseTo(1 - 1 / 23, 3);
    const cut = [line('reve nue', 150, 99), line('Total', 100, 101), line('48,310 euros', 300, 100)];
    expect(compareReadings(reference, [cut], SCREEN).share).toBe(1);
  });

  test('of an overview and its parts count by the better one', () => {
    const reference = [line('left hand', 100, 100), line('right hand', 1500, 100)];
    const layers = [[line('left hand', 100, 100)], [line('lef', 100, 100), line('right hand', 1500, 100)]];
    expect(compareReadings(reference, layers, SCREEN).share).toBe(1);
  });

  test('name what lost the most, and a part of the picture that is lost is not outweighed by the rest', () => {
    const large = Array.from({ length: 30 }, (_, row) => line('a line of text that is large enough', 700, 400 + row));
    const small = line('but this status line at the bottom of it is gone', 20, 1050);
    const measured = compareReadings([...large, small], [large], SCREEN);
    expect(measured.share).toBeGreaterThan(0.95);
    expect(measured.worst).toEqual([{ region: small.box, share: expect.closeTo(0, 0), characters: 38 }]);
    expect(measured.reaches(0.95)).toBe(true);
    const longer = { ...small, text: `${small.text}!?` };
    expect(compareReadings([...large, longer], [large], SCREEN).reaches(0.95)).toBe(false);
  });

  test('leave out what was not read for certain, and single signs', () => {
    const read = [line('a pattern', 0, 0, 0.7), line('x |', 0, 0), line('ready to go', 0, 0)];
    expect(referenceOf(read)).toMatchObject({ lines: [{ text: 'ready to go' }], isDoubtful: false });
    expect(referenceOf([...read, line('n0t s0', 0, 0, 0.8)]).isDoubtful).toBe(true);
    expect(referenceOf([])).toEqual({ lines: [], isDoubtful: false });
  });
});

describe('what is worth a try', () => {
  const blank = { ...SCREEN, data: Buffer.alloc(0), receivedMonotonicNs: 0n, receivedWallUs: 0n, sequence: 0 };
  const names = (frame: Frame, target = CLAUDE): string[] =>
    candidatesOf(frame, target, ALL).map(({ scaling }) => scaling.name);

  test('is each preset and the whole picture, the cheapest first', () => {
    const candidates = candidatesOf(blank, CLAUDE, ALL);
    expect(candidates.map(({ scaling, tokens }) => [scaling.name, tokens])).toEqual([
      ['p10_24', 252],
      ['p9', 299],
      ['p6_9', 350],
      ['p4', 646],
      ['p2_56', 1008],
      ['source', 2691],
    ]);
  });

  test('is no smaller picture that costs as much, and the Gundam views where the whole is scaled down', () => {
    expect(names(blank, TILES)).toEqual(['p4', 'source', 'gundam']);
  });

  test('is nothing smaller for who pays nothing', () => {
    const { limits, formula } = profileOf('local', 'pp-ocrv4');
    expect(names(blank, { limits, imageCost: (size) => formula(size, 'auto') })).toEqual(['source']);
  });

  test('is what the source has fewer pixels for, however small it is streamed', () => {
    const metadata = {
      frameNumber: 1,
      capturedMonotonicNs: 0n,
      capturedWallUs: 0n,
      clockId: 1n,
      source: SCREEN,
      plan: 'p4',
    };
    expect(names({ ...blank, width: 960, height: 540, metadata })).toEqual(['p10_24', 'p9', 'p6_9', 'source']);
  });
});

describe('with the local reader', { timeout: 180_000 }, () => {
  test('a page of large print is legible at the cheapest size, in one comparison', async () => {
    const { name, legibility, measured } = await check(await page({ fontPx: 32 }));
    expect(name).toBe('p10_24');
    expect(legibility?.share).toBeGreaterThanOrEqual(0.95);
    expect(legibility?.characters).toBeGreaterThan(100);
    expect([...measured.keys()]).toEqual(['588x336']);
  });

  test('small print needs more, and what is cheaper is not legible', async () => {
    const frame = await page({ fontPx: 13, font: 'DejaVu Sans Mono', ink: '#ddd', paper: '#1e1e1e' });
    const { name, legibility, chosen } = await check(frame);
    expect(['p4', 'p2_56']).toContain(name);
    expect(legibility?.share).toBeGreaterThanOrEqual(0.95);
    const cheaper = candidatesOf(frame, CLAUDE, ALL).filter(({ tokens }) => tokens < chosen.tokens);
    const [below] = cheaper.slice(-1).map(({ scaling }) => scaling);
    const fixed = await check(frame, CLAUDE, [below as Scaling]);
    expect(fixed).toMatchObject({ isLegible: false, name: below?.name });
    expect(fixed.legibility?.share).toBeLessThan(0.95);
    expect(fixed.legibility?.worst[0]?.region.y).toBeLessThan(200);
  });

  test('what no size keeps legible is sent at the one that keeps the most, and in parts of which it is legible', async () => {
    const frame = await page({ fontPx: 9, pitch: 2 });
    const whole = await check(frame, TILES, [FULL_SIZE, ...PRESETS]);
    expect(whole).toMatchObject({ name: 'source', isLegible: false });
    const parts = await check(frame, TILES);
    expect(parts).toMatchObject({ name: 'gundam', isLegible: true });
    expect(parts.legibility?.share).toBeGreaterThan(whole.legibility?.share ?? 1);
  });

  test('a picture without text is sent at the cheapest size, and nothing is lost', async () => {
    const circle = '<circle cx="700" cy="500" r="300" fill="#4a4"/>';
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1920" height="1080">${circle}</svg>`;
    const { name, isLegible, legibility } = await check(await svgFrame(svg));
    expect({ name, isLegible }).toEqual({ name: 'p10_24', isLegible: true });
    expect(legibility).toMatchObject({ share: 1, characters: 0, worst: [] });
  });

  test('text of a script that the reader does not know is sent whole, and nothing is said about it', async () => {
    const text = '<text x="60" y="200" font-family="DejaVu Sans" font-size="48">Съешь же ещё этих мягких булок</text>';
    const paper = '<rect width="100%" height="100%" fill="white"/>';
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1920" height="1080">${paper}${text}</svg>`;
    const { name, isLegible, legibility, measured } = await check(await svgFrame(svg));
    expect({ name, isLegible, legibility, measured: measured.size }).toEqual({
      name: 'source',
      isLegible: false,
      legibility: undefined,
      measured: 0,
    });
  });

  test('a Gundam composite is read as the whole picture it was made of', async () => {
    const { svg } = textPage({ ...SCREEN, fontPx: 32, maxLines: 3 });
    const { name, legibility } = await check(await gundamComposite(svg, SCREEN));
    expect(name).toMatch(/^p(9|10_24)$/);
    expect(legibility?.share).toBeGreaterThanOrEqual(0.95);
  });
});
