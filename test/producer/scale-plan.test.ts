import { describe, expect, test } from 'vitest';
import { formatSize, type Size } from '../../src/core/index.js';
import { builtInPresets, loadPreset } from '../../src/producer/presets.js';
import { presetPlan, scaledSize, sourcePlan } from '../../src/producer/scale-plan.js';
import { seededRandom } from '../support/prng.js';

const hd: Size = { width: 1280, height: 720 };
const fullHd: Size = { width: 1920, height: 1080 };
const canvasOf = (source: Size, name: string) => formatSize(presetPlan(source, loadPreset(name)).canvas);

/** Sizes of all kinds: tiny, odd, long, large, and the common ones. */
function manySizes(count: number): Size[] {
  const random = seededRandom(20);
  const side = () => 1 + random.below([8, 100, 2000, 8192][random.below(4)] as number);
  const common = [hd, fullHd, { width: 3840, height: 2160 }, { width: 1366, height: 768 }, { width: 1, height: 1 }];
  return [...common, ...Array.from({ length: count }, () => ({ width: side(), height: side() }))];
}

describe('presetPlan', () => {
  test('is exact where the factor allows it', () => {
    expect(canvasOf(hd, 'p4')).toBe('640x360');
    expect(canvasOf(fullHd, 'p4')).toBe('960x540');
    expect(canvasOf(fullHd, 'p9')).toBe('640x360');
    expect(canvasOf({ width: 2560, height: 1600 }, 'p2_56')).toBe('1600x1000');
    expect(canvasOf({ width: 2560, height: 1600 }, 'p10_24')).toBe('800x500');
  });

  test('gives five sizes for five presets', () => {
    const sizes = builtInPresets().map(({ name }) => canvasOf(fullHd, name));
    // 1080 / 1.6 is 675: the even number above gives the nearer ratio. 337.5 and 411.2 are nearest to 338 and 412.
    expect(sizes).toEqual(['1200x676', '960x540', '730x412', '640x360', '600x338']);
  });

  test('maps the whole source onto the whole canvas, averaging', () => {
    expect(presetPlan({ width: 1365, height: 767 }, loadPreset('p4'))).toEqual({
      name: 'p4',
      canvas: { width: 682, height: 384 },
      views: [
        {
          source: { x: 0, y: 0, width: 1365, height: 767 },
          target: { x: 0, y: 0, width: 682, height: 384 },
          method: 'area',
        },
      ],
    });
  });

  test('keeps within the smaller of both limits', () => {
    const limited = { name: 'limited', factor: 4, maxLongSidePx: 800 };
    const longSide = (maxLongSidePx?: number) => presetPlan(fullHd, limited, { maxLongSidePx }).canvas;
    expect(longSide()).toEqual({ width: 800, height: 450 });
    expect(longSide(1000)).toEqual({ width: 800, height: 450 });
    expect(longSide(640)).toEqual({ width: 640, height: 360 });
    expect(longSide(641)).toEqual({ width: 640, height: 360 });
    expect(presetPlan({ width: 400, height: 200 }, limited).canvas).toEqual({ width: 200, height: 100 });
  });
});

describe('scaledSize', () => {
  const factors = [1, 1.001, 2, ...builtInPresets().map(({ factor }) => factor), 100, 1024];
  const sizes = manySizes(3000);

  test('is even, and never larger than the source but for a side of one pixel', () => {
    for (const source of sizes) {
      for (const factor of factors) {
        const { width, height } = scaledSize(source, factor);
        const evenAndWithin =
          width % 2 === 0 &&
          height % 2 === 0 &&
          width <= Math.max(2, source.width) &&
          height <= Math.max(2, source.height);
        expect(evenAndWithin, `${formatSize(source)} / ${factor} = ${width}x${height}`).toBe(true);
      }
    }
  });

  test('has each side within a pixel of the exact one, and so the pixel ratio within its bound', () => {
    for (const source of sizes) {
      for (const factor of factors) {
        const { width, height } = scaledSize(source, factor);
        const exactWidth = source.width / Math.sqrt(factor);
        const exactHeight = source.height / Math.sqrt(factor);
        if (exactWidth < 1 || exactHeight < 1) continue; // less than 4:2:0 can hold
        const what = `${formatSize(source)} / ${factor} = ${width}x${height}`;
        expect(Math.abs(width - exactWidth), what).toBeLessThanOrEqual(1 + 1e-9);
        expect(Math.abs(height - exactHeight), what).toBeLessThanOrEqual(1 + 1e-9);
        const ratio = (source.width * source.height) / (width * height);
        const bound = (1 + 1 / width) * (1 + 1 / height);
        expect(ratio / factor, what).toBeLessThanOrEqual(bound + 1e-9);
        expect(ratio / factor, what).toBeGreaterThanOrEqual((1 - 1 / width) * (1 - 1 / height) - 1e-9);
      }
    }
  });

  test('never shrinks when the source grows, and never grows when the factor does', () => {
    for (const source of sizes.slice(0, 500)) {
      let previous: Size = source.width < 2 || source.height < 2 ? { width: 9999, height: 9999 } : source;
      for (const factor of factors) {
        const size = scaledSize(source, factor);
        const wider = scaledSize({ width: source.width + 1, height: source.height }, factor);
        const higher = scaledSize({ width: source.width, height: source.height + 1 }, factor);
        const what = `${formatSize(source)} / ${factor}`;
        expect(wider.width, what).toBeGreaterThanOrEqual(size.width);
        expect(wider.height, what).toBe(size.height);
        expect(higher.height, what).toBeGreaterThanOrEqual(size.height);
        expect(higher.width, what).toBe(size.width);
        expect(size.width, what).toBeLessThanOrEqual(previous.width);
        expect(size.height, what).toBeLessThanOrEqual(previous.height);
        previous = size;
      }
    }
  });

  test('meets the limit on the long side and keeps the aspect', () => {
    for (const source of sizes) {
      for (const limit of [16, 333, 1000]) {
        const { width, height } = scaledSize(source, 1, limit);
        const what = `${formatSize(source)} within ${limit}: ${width}x${height}`;
        expect(Math.max(width, height), what).toBeLessThanOrEqual(limit);
        const divisor = Math.max(source.width, source.height) / Math.min(limit - (limit % 2), Math.max(width, height));
        if (source.width / divisor < 1 || source.height / divisor < 1) continue;
        expect(Math.abs(width - source.width / divisor), what).toBeLessThanOrEqual(2);
        expect(Math.abs(height - source.height / divisor), what).toBeLessThanOrEqual(2);
      }
    }
  });

  test('leaves two pixels of whatever is tiny', () => {
    expect(scaledSize({ width: 1, height: 1 }, 4)).toEqual({ width: 2, height: 2 });
    expect(scaledSize({ width: 3, height: 2 }, 9)).toEqual({ width: 2, height: 2 });
    expect(scaledSize({ width: 1000, height: 1 }, 4)).toEqual({ width: 500, height: 2 });
  });
});

describe('sourcePlan', () => {
  test('cuts an odd last column and row off instead of resampling', () => {
    const { name, canvas, views } = sourcePlan({ width: 1365, height: 767 });
    const kept = { x: 0, y: 0, width: 1364, height: 766 };
    expect({ name, canvas }).toEqual({ name: 'source', canvas: { width: 1364, height: 766 } });
    expect(views).toEqual([{ source: kept, target: kept, method: 'area' }]);
  });

  test('shrinks the whole source when its long side is limited', () => {
    const { canvas, views } = sourcePlan(fullHd, { maxLongSidePx: 1280 });
    expect(canvas).toEqual(hd);
    expect(views[0]?.source).toEqual({ x: 0, y: 0, ...fullHd });
    expect(sourcePlan(fullHd, { maxLongSidePx: 1920 }).canvas).toEqual(fullHd);
  });

  test('gives a one-pixel source the smallest picture there is', () => {
    expect(sourcePlan({ width: 1, height: 1 }).views[0]).toEqual({
      source: { x: 0, y: 0, width: 1, height: 1 },
      target: { x: 0, y: 0, width: 2, height: 2 },
      method: 'area',
    });
  });
});
