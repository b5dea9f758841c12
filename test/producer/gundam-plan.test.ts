import { describe, expect, test } from 'vitest';
import { fitsInside, formatRegion, formatSize, gundamGrid, type Rect, type Size } from '../../src/core/index.js';
import { gundamPlan } from '../../src/producer/gundam-plan.js';
import type { ScalePlan } from '../../src/producer/scale-plan.js';
import { seededRandom } from '../support/prng.js';

const fullHd: Size = { width: 1920, height: 1080 };
const layoutOf = (plan: ScalePlan) => plan.gundam ?? expect.fail('the plan has no layout');
const localOf = (plan: ScalePlan) => plan.views[1]?.target ?? expect.fail('the plan has no local view');
const overlap = (a: Rect, b: Rect) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Sources with every grid of up to 9 tiles, and random ones. */
function manySources(): Size[] {
  const random = seededRandom(7);
  const strips = [2, 3, 4, 5, 6, 7, 8, 9].flatMap((n) => [
    { width: n * 700, height: 700 },
    { width: 700, height: n * 700 },
  ]);
  const wide = [fullHd, { width: 3440, height: 1440 }, { width: 1080, height: 1920 }, { width: 1024, height: 768 }];
  const squares = [
    { width: 1300, height: 1300 },
    { width: 1500, height: 1500 },
    { width: 1500, height: 1000 },
    { width: 1000, height: 1500 },
  ];
  const any = () => ({ width: 1 + random.below(4000), height: 1 + random.below(4000) });
  return [...strips, ...wide, ...squares, ...Array.from({ length: 500 }, any)];
}

describe('gundamPlan', () => {
  test('composes 1920x1080 from 4x2 tiles with the global view beside them', () => {
    const plan = gundamPlan(fullHd, 9);
    expect(plan.name).toBe('gundam');
    expect(plan.canvas).toEqual({ width: 3584, height: 1280 });
    expect(plan.background).toBe(127);
    const whole = { x: 0, y: 0, ...fullHd };
    expect(plan.views).toEqual([
      { source: whole, target: { x: 2560, y: 224, width: 1024, height: 576 }, method: 'bicubic' },
      { source: whole, target: { x: 0, y: 0, width: 2560, height: 1280 }, method: 'bicubic' },
    ]);
    const { columns, rows, tiles, global } = layoutOf(plan);
    expect({ columns, rows, global: formatRegion(global) }).toEqual({
      columns: 4,
      rows: 2,
      global: '1024x1024+2560+0',
    });
    expect(tiles.map(formatRegion)).toEqual([
      '640x640+0+0',
      '640x640+640+0',
      '640x640+1280+0',
      '640x640+1920+0',
      '640x640+0+640',
      '640x640+640+640',
      '640x640+1280+640',
      '640x640+1920+640',
    ]);
  });

  test('with at most 6 tiles puts the global view below 2x1, which wastes less', () => {
    const plan = gundamPlan(fullHd, 6);
    expect(formatSize(plan.canvas)).toBe('1280x1664');
    expect(formatRegion(layoutOf(plan).global)).toBe('1024x1024+0+640');
    expect(layoutOf(plan).tiles.map(formatRegion)).toEqual(['640x640+0+0', '640x640+640+0']);
  });

  test('has the global view alone for a small source', () => {
    const plan = gundamPlan({ width: 640, height: 360 }, 9);
    expect(formatSize(plan.canvas)).toBe('1024x1024');
    expect(plan.views).toHaveLength(1);
    expect(layoutOf(plan)).toEqual({
      columns: 0,
      rows: 0,
      tiles: [],
      global: { x: 0, y: 0, width: 1024, height: 1024 },
    });
  });

  test('fits the source into the global view as ImageOps.pad does', () => {
    const placed = (width: number, height: number) => {
      const plan = gundamPlan({ width, height }, 9);
      const { target } = plan.views[0] ?? expect.fail('the plan has no global view');
      const { global } = layoutOf(plan);
      return formatRegion({ ...target, x: target.x - global.x, y: target.y - global.y });
    };
    expect(placed(1280, 720)).toBe('1024x576+0+224');
    expect(placed(1080, 1920)).toBe('576x1024+224+0');
    expect(placed(1024, 768)).toBe('1024x768+0+128');
    expect(placed(320, 240)).toBe('1024x768+0+128');
    expect(placed(1500, 1500)).toBe('1024x1024+0+0');
    // 428.65 pixels: ImageOps.pad makes it 429 and begins at 298.
    expect(placed(3440, 1440)).toBe('1024x428+0+298');
    expect(placed(4000, 1)).toBe('1024x2+0+510');
  });

  test('stays within a pixel of ImageOps.pad for any source', () => {
    for (const source of manySources()) {
      const plan = gundamPlan(source, 9);
      const { target } = plan.views[0] ?? expect.fail('the plan has no global view');
      const { global } = layoutOf(plan);
      const what = `${formatSize(source)}: ${formatRegion(target)}`;
      const scale = 1024 / Math.max(source.width, source.height);
      expect(fitsInside({ ...target, x: target.x - global.x, y: target.y - global.y }, global), what).toBe(true);
      expect(Math.abs(target.width - Math.max(1, source.width * scale)), what).toBeLessThanOrEqual(1);
      expect(Math.abs(target.height - Math.max(1, source.height * scale)), what).toBeLessThanOrEqual(1);
      const offCentreX = target.x - global.x + target.width / 2 - 512;
      const offCentreY = target.y - global.y + target.height / 2 - 512;
      expect(Math.max(Math.abs(offCentreX), Math.abs(offCentreY)), what).toBeLessThanOrEqual(1);
    }
  });

  test.each([6, 9] as const)('lays out what the grid of at most %i tiles says, aligned and apart', (maxCrops) => {
    for (const source of manySources()) {
      const plan = gundamPlan(source, maxCrops);
      const { columns, rows, tiles, global } = layoutOf(plan);
      const what = `${formatSize(source)}: ${columns}x${rows} on ${formatSize(plan.canvas)}`;
      expect({ columns, rows }, what).toEqual(gundamGrid(source, { maxCrops }));
      expect(tiles, what).toHaveLength(columns * rows);
      const parts = [global, ...tiles];
      const aligned = [plan.canvas, ...parts].every((part) =>
        Object.values(part).every((px) => typeof px !== 'number' || px % 16 === 0),
      );
      expect(aligned, what).toBe(true);
      expect(
        parts.every((part) => fitsInside(part, plan.canvas)),
        what,
      ).toBe(true);
      expect(
        parts.some((part, i) => parts.slice(0, i).some((other) => overlap(part, other))),
        what,
      ).toBe(false);
      tiles.forEach((tile, index) => {
        const x = (index % columns) * 640;
        const y = Math.floor(index / columns) * 640;
        expect(tile, what).toEqual({ x: localOf(plan).x + x, y: localOf(plan).y + y, width: 640, height: 640 });
      });
      if (tiles.length > 0) expect(localOf(plan), what).toMatchObject({ width: columns * 640, height: rows * 640 });
    }
  });

  test('keeps the canvas within 4096 a side for up to 6 tiles in a row, and within H.264 level 5.1 beyond', () => {
    for (const source of manySources()) {
      const { canvas, gundam } = gundamPlan(source, 9);
      const what = `${formatSize(source)} on ${formatSize(canvas)}`;
      const longest = Math.max(gundam?.columns ?? 0, gundam?.rows ?? 0);
      expect(Math.max(canvas.width, canvas.height), what).toBeLessThanOrEqual(longest <= 6 ? 4096 : 8688);
      expect((canvas.width / 16) * (canvas.height / 16), what).toBeLessThanOrEqual(36_864);
    }
  });

  test('wastes no more than the other arrangement would', () => {
    for (const source of manySources()) {
      const { canvas, gundam } = gundamPlan(source, 6);
      const [width, height] = [(gundam?.columns ?? 0) * 640, (gundam?.rows ?? 0) * 640];
      const both = [
        { width: width + 1024, height: Math.max(height, 1024) },
        { width: Math.max(width, 1024), height: height + 1024 },
      ].filter((size) => Math.max(size.width, size.height) <= 4096);
      const least = Math.min(...both.map((size) => size.width * size.height));
      expect(canvas.width * canvas.height, formatSize(source)).toBe(least);
    }
  });
});
