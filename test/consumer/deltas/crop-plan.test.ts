import { expect, test } from 'vitest';
import { planCrops } from '../../../src/consumer/deltas/crop-plan.js';
import { profileOf } from '../../../src/consumer/index.js';
import type { Rect, Size } from '../../../src/core/index.js';
import { seededRandom } from '../../support/prng.js';

function targetOf(...[vendor, model]: Parameters<typeof profileOf>) {
  const { limits, formula } = profileOf(vendor, model);
  return { limits, imageCost: (size: Size) => formula(size, 'high') };
}
const claude = targetOf('anthropic', 'claude-opus-4-7');
const gpt4o = targetOf('openai', 'gpt-4o');
const qwen = targetOf('qwen', 'qwen3-vl-flash');
const picture = { width: 1288, height: 728 };

const covers = (rects: readonly Rect[], { x, y, width, height }: Rect): boolean =>
  rects.some((one) => {
    return one.x <= x && one.y <= y && one.x + one.width >= x + width && one.y + one.height >= y + height;
  });

test('01 a crop lies on the grid in which the model cuts the picture, and is no smaller than can be read', () => {
  const changed = [{ x: 600, y: 300, width: 10, height: 16 }];
  const plan = planCrops(changed, picture, claude);
  expect(plan?.regions).toEqual([{ x: 532, y: 252, width: 140, height: 112 }]);
  expect(claude.imageCost({ width: 140, height: 112 }).tokens).toBe(5 * 4);
  expect(planCrops(changed, { width: 1280, height: 720 }, qwen)?.regions).toEqual([
    { x: 544, y: 256, width: 128, height: 128 },
  ]);
  expect(planCrops(changed, { width: 1280, height: 720 }, gpt4o)?.regions).toEqual([
    { x: 512, y: 0, width: 512, height: 512 },
  ]);
});

test('02 what lies apart stays apart, what lies together is one crop', () => {
  const near = planCrops(
    [
      { x: 100, y: 100, width: 200, height: 20 },
      { x: 100, y: 160, width: 180, height: 20 },
    ],
    picture,
    claude,
  );
  expect(near?.regions).toHaveLength(1);
  const far = planCrops(
    [
      { x: 10, y: 10, width: 20, height: 20 },
      { x: 1200, y: 700, width: 20, height: 20 },
    ],
    picture,
    claude,
  );
  expect(far?.regions).toHaveLength(2);
});

test('03 whatever changed is covered, on the grid, once, and by no more crops than the model takes', () => {
  const { below } = seededRandom(7);
  for (const target of [claude, gpt4o, qwen]) {
    for (let round = 0; round < 60; round += 1) {
      const size = { width: 200 + below(2000), height: 120 + below(1200) };
      const changed = Array.from({ length: 1 + below(30) }, () => {
        const [x, y] = [below(size.width - 1), below(size.height - 1)];
        return { x, y, width: 1 + below(size.width - x), height: 1 + below(Math.min(60, size.height - y)) };
      });
      const { regions } = planCrops(changed, size, target) ?? { regions: [{ x: 0, y: 0, ...size }] };
      const grid = target.limits.gridPx ?? target.limits.cellPx ?? 0;
      expect(changed.every((rect) => covers(regions, rect))).toBe(true);
      expect(regions.length).toBeLessThanOrEqual(8);
      for (const { x, y, width, height } of regions) {
        expect([x % grid, y % grid]).toEqual([0, 0]);
        expect((x + width) % grid === 0 || x + width === size.width).toBe(true);
        expect((y + height) % grid === 0 || y + height === size.height).toBe(true);
      }
      for (const [index, one] of regions.entries()) {
        for (const other of regions.slice(index + 1)) {
          const apart =
            one.x + one.width <= other.x ||
            other.x + other.width <= one.x ||
            one.y + one.height <= other.y ||
            other.y + other.height <= one.y;
          expect(apart).toBe(true);
        }
      }
    }
  }
});

test('04 what is scattered all over is the whole picture', () => {
  const changed: Rect[] = [];
  const size = { width: 3840, height: 2160 };
  for (let x = 20; x < size.width; x += 280) {
    for (let y = 20; y < size.height; y += 280) changed.push({ x, y, width: 8, height: 8 });
  }
  expect(planCrops(changed, size, claude)).toBeUndefined();
});
