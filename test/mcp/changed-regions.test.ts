import { expect, test } from 'vitest';
import type { Rect } from '../../src/core/index.js';
import { boundsOf, changedRegions, type Luma, lumaOf } from '../../src/mcp/changed-regions.js';
import { Past, spread } from '../../src/mcp/past.js';
import { frameOf } from '../support/frames.js';

const SIZE = { width: 300, height: 200 };

function paint(level: number, ...rects: readonly Rect[]): Luma {
  const data = Buffer.alloc(SIZE.width * SIZE.height, 100);
  for (const { x, y, width, height } of rects) {
    for (let row = y; row < y + height; row += 1) data.fill(level, row * SIZE.width + x, row * SIZE.width + x + width);
  }
  return { ...SIZE, data };
}

const still = paint(0);

test('nothing changed where nothing did, and where coding left its noise', () => {
  expect(changedRegions(still, paint(0))).toEqual([]);
  expect(changedRegions(still, paint(118, { x: 0, y: 0, ...SIZE }))).toEqual([]);
});

test('a letter is told, as the tiles that it touches', () => {
  expect(changedRegions(still, paint(0, { x: 40, y: 50, width: 1, height: 10 }))).toEqual([
    { x: 32, y: 48, width: 16, height: 16 },
  ]);
  expect(changedRegions(still, paint(0, { x: 30, y: 30, width: 10, height: 40 }))).toEqual([
    { x: 16, y: 16, width: 32, height: 64 },
  ]);
});

test('what lies apart is told apart, the largest first, and never beyond the edges', () => {
  const after = paint(0, { x: 0, y: 0, width: 8, height: 8 }, { x: 250, y: 150, width: 50, height: 50 });
  expect(changedRegions(still, after)).toEqual([
    { x: 240, y: 144, width: 60, height: 56 },
    { x: 0, y: 0, width: 16, height: 16 },
  ]);
});

test('many small ones are summed up', () => {
  const dots = Array.from({ length: 15 }, (_, at) => {
    return { x: (at % 5) * 64, y: Math.floor(at / 5) * 64, width: 8, height: 8 };
  });
  const regions = changedRegions(still, paint(0, ...dots));
  expect(regions).toHaveLength(8);
  expect(boundsOf(regions)).toEqual({ x: 0, y: 0, width: 272, height: 144 });
});

test('only a region counts, where one is named', () => {
  const after = paint(0, { x: 0, y: 0, width: 100, height: 100 });
  expect(changedRegions(still, after, { x: 100, y: 0, width: 200, height: 200 })).toEqual([]);
  expect(changedRegions(still, after, { x: 90, y: 90, width: 50, height: 50 })).toEqual([
    { x: 90, y: 90, width: 16, height: 16 },
  ]);
});

test('a picture of another size is another picture', () => {
  const other = { width: 10, height: 10, data: Buffer.alloc(100) };
  expect(changedRegions(still, other)).toEqual([{ x: 0, y: 0, width: 10, height: 10 }]);
});

test('colours of one brightness or another are told apart', () => {
  const colour = (red: number, green: number, blue: number): Luma =>
    lumaOf({ width: 16, height: 16, data: Buffer.from(Array.from({ length: 256 }, () => [red, green, blue]).flat()) });
  expect(changedRegions(colour(200, 0, 0), colour(0, 200, 0))).toHaveLength(1);
  expect(changedRegions(colour(0, 0, 255), colour(0, 0, 0))).toHaveLength(1);
});

const grey = (level: number, sequence: number) =>
  frameOf(Buffer.alloc(64 * 48 * 3, level), { width: 64, height: 48 }, { sequence });

test('the past has pictures that differ, within its bounds, and the one before as the first', async () => {
  const past = new Past({ pictures: 3, bytes: 1 << 20, answers: 2 });
  for (const [at, level] of [0, 0, 80, 160, 240, 240].entries()) await past.see('desk', grey(level, at));
  expect(past.picturesSince('desk', 0).map(({ frameNumber }) => frameNumber)).toEqual([2, 3, 4]);
  expect(past.picturesSince('desk', Date.now() + 1000).map(({ frameNumber }) => frameNumber)).toEqual([4]);
  expect(past.picturesSince('door', 0)).toEqual([]);
  for (const text of ['one', 'two', 'three']) past.hear('desk', text);
  expect(past.answersSince('desk', 0).map(({ text }) => text)).toEqual(['two', 'three']);
});

test('the past is bounded by bytes as well', async () => {
  const past = new Past({ pictures: 100, bytes: 1000, answers: 2 });
  for (let at = 0; at < 10; at += 1) await past.see('desk', grey(at % 2 ? 0 : 200, at));
  const kept = past.picturesSince('desk', 0);
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.reduce((sum, { jpeg }) => sum + jpeg.length, 0)).toBeLessThanOrEqual(1000);
});

test('a few of many are spread from the first to the last', () => {
  const many = Array.from({ length: 10 }, (_, at) => at);
  expect(spread(many, 4)).toEqual([0, 3, 6, 9]);
  expect(spread(many, 1)).toEqual([9]);
  expect(spread(many, 20)).toEqual(many);
  expect(spread([], 4)).toEqual([]);
});
