import { expect, test } from 'vitest';
import { type Receipt, Watch } from '../../../src/consumer/index.js';
import { presetScaling } from '../../../src/consumer/legibility/scaling.js';
import { Canvas, RED } from '../../support/canvas.js';
import { ManualSource } from '../../support/manual-source.js';
import { ScriptAdaptor } from '../../support/script-adaptor.js';

const HALF = presetScaling('half', ({ width, height }) => ({ width: width / 2, height: height / 2 }));

test('parts of the picture are sent at the scale of the whole, where that has a preset', async () => {
  const canvas = new Canvas({ width: 1280, height: 960 });
  const source = new ManualSource();
  const options = { everyMs: 0, gate: { settleMs: 0 }, deltas: {}, scaling: HALF };
  await using watch = new Watch(source, new ScriptAdaptor(), options);
  const receipts: Receipt[] = [];
  watch.on('answered', (_answer, receipt) => receipts.push(receipt));
  source.show(canvas.frame());
  await expect.poll(() => receipts.length).toBe(1);
  canvas.fill({ x: 640, y: 480, width: 24, height: 32 }, RED);
  source.show(canvas.frame());
  await expect.poll(() => receipts.length).toBe(2);
  const [whole, part] = receipts as [Receipt, Receipt];
  expect(whole).toMatchObject({ preset: 'half', images: [{ width: 640, height: 480 }] });
  expect(part).toMatchObject({
    preset: 'half',
    images: [{ width: 128, height: 128 }],
    delta: { whole: { width: 640, height: 480 }, wholeTokens: 300 },
  });
  const [region] = part.delta?.regions ?? [];
  expect(region?.x).toBeLessThanOrEqual(320);
  expect(region?.y).toBeLessThanOrEqual(240);
});
