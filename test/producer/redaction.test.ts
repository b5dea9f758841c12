import { expect, test } from 'vitest';
import type { Rect, Size } from '../../src/core/index.js';
import { Redactor } from '../../src/native/index.js';
import { presetPlan, sourcePlan } from '../../src/producer/index.js';
import { startDisplay } from '../support/display.js';
import { startPainter } from '../support/painter.js';
import { type RawCaptureOptions, startRawCapture } from '../support/raw-capture.js';

const SIZE = { width: 1000, height: 700 };
const REGIONS: readonly Rect[] = [
  { x: 97, y: 50, width: 301, height: 203 },
  { x: 900, y: 600, width: 500, height: 500 },
];
/** In whole blocks of 8 pixels, inside the picture. */
const MASKS: readonly Rect[] = [
  { x: 96, y: 48, width: 304, height: 208 },
  { x: 896, y: 600, width: 104, height: 100 },
];
const NO_WINDOWS = { display: '', x: 0, y: 0, patterns: [] };
const MASKED = { regions: REGIONS, windows: NO_WINDOWS, reads: false, strict: false, shownUnreadMs: 0 };

/** Fills rectangles of a picture, grown by some pixels, with `value`. */
function filled(rgb: Buffer, { width, height }: Size, rects: readonly Rect[], grownPx: number, value = 0): Buffer {
  const copy = Buffer.from(rgb);
  for (const rect of rects) {
    const left = Math.max(0, rect.x - grownPx);
    const right = Math.min(width, rect.x + rect.width + grownPx);
    for (let y = Math.max(0, rect.y - grownPx); y < Math.min(height, rect.y + rect.height + grownPx); y++) {
      copy.fill(value, (y * width + left) * 3, (y * width + right) * 3);
    }
  }
  return copy;
}

test('regions are black, and all around them is as it is, over random drawing', async () => {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await using painter = await startPainter(display);
  const capture: RawCaptureOptions = { display: display.name, plan: sourcePlan(SIZE), source: SIZE };
  const redactors: Redactor[] = [];
  await using masked = await startRawCapture({
    ...capture,
    filter: 'capredact name=redact',
    onBuilt: (pipeline) => redactors.push(new Redactor(pipeline, 'redact', MASKED)),
  });
  await using whole = await startRawCapture({ ...capture, element: 'ximagesrc' });
  // A mask's chroma reaches into the pixels beside it when a picture becomes RGB.
  const around = (rgb: Buffer): Buffer => filled(rgb, SIZE, MASKS, 2);
  for (let seed = 1; seed <= 25; seed++) {
    await painter.random(seed, 1 + (seed % 12));
    const last = await whole.newest();
    const truth = around((await whole.until((picture) => picture.sequence > last.sequence + 1)).data);
    const found = await masked.until((picture) => around(picture.data).equals(truth), 20_000);
    expect(around(found.data).equals(truth), `after drawing ${seed}`).toBe(true);
    expect(filled(found.data, SIZE, MASKS, -2).equals(found.data), `masks after drawing ${seed}`).toBe(true);
  }
  await redactors[0]?.close();
});

test('a scaler behind the masks sees nothing else', async () => {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await using painter = await startPainter(display);
  await painter.random(1, 60);
  const plan = presetPlan(SIZE, { name: 'p2_56', factor: 2.56 });
  const redactors: Redactor[] = [];
  await using masked = await startRawCapture({
    ...{ display: display.name, plan, source: SIZE, filter: 'capredact name=redact' },
    onBuilt: (pipeline) => redactors.push(new Redactor(pipeline, 'redact', MASKED)),
  });
  const { width, height } = plan.canvas;
  const scaled = MASKS.map(({ x, y, ...size }) => ({
    x: Math.ceil((x * width) / SIZE.width),
    y: Math.ceil((y * height) / SIZE.height),
    width: Math.floor((size.width * width) / SIZE.width),
    height: Math.floor((size.height * height) / SIZE.height),
  }));
  for (let seed = 1; seed <= 5; seed++) {
    await painter.random(seed, 20);
    const { data } = await masked.newest();
    expect(filled(data, { width, height }, scaled, -4).equals(data), `after drawing ${seed}`).toBe(true);
    expect(data.every((byte) => byte === 0)).toBe(false);
  }
  await redactors[0]?.close();
});

test('an element that was not told what to mask masks everything', async () => {
  await using display = await startDisplay({ widthPx: 320, heightPx: 240 });
  await using painter = await startPainter(display);
  await painter.random(1, 20);
  const source = { width: 320, height: 240 };
  await using capture = await startRawCapture({
    ...{ display: display.name, plan: sourcePlan(source), source, filter: 'capredact name=redact' },
  });
  const first = await capture.newest();
  await painter.random(2, 20);
  const later = await capture.until(({ sequence }) => sequence > first.sequence + 2);
  expect(first.data.every((byte) => byte === 0)).toBe(true);
  expect(later.data.every((byte) => byte === 0)).toBe(true);
});
