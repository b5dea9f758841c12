import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DamageLog } from '../../src/consumer/gate/damage-log.js';
import { type Receipt, Sampler, Watch } from '../../src/consumer/index.js';
import type { FrameMetadata, Rect } from '../../src/core/index.js';
import { serveCapture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { startPainter } from '../support/painter.js';
import { ScriptAdaptor } from '../support/script-adaptor.js';

function covers(rects: readonly Rect[] | undefined, { x, y }: { x: number; y: number }): boolean {
  return (rects ?? []).some((rect) => {
    return x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
  });
}

test('01 a screen is shown once, and then each character that appears, at full size and scaled down', async () => {
  await using display = await startDisplay({ widthPx: 1280, heightPx: 720 });
  await using painter = await startPainter(display);
  for (const scale of [undefined, { plan: 'p4' }]) {
    await using capture = await serveCapture({
      source: { kind: 'screen', display: display.name, cursor: false, keepAliveMs: 200 },
      ...(scale ? { scaling: { preset: scale.plan } } : {}),
    });
    await using sampler = new Sampler(capture.url);
    const receipts: Receipt[] = [];
    await using watch = new Watch(sampler, new ScriptAdaptor(), { everyMs: 0, gate: { settleMs: 0 } });
    watch.on('answered', (_answer, receipt) => receipts.push(receipt));
    await expect.poll(() => receipts.length, { timeout: 20_000 }).toBe(1);
    await expect.poll(() => watch.counts().gated, { timeout: 20_000 }).toBeGreaterThan(5);
    expect(receipts.map(({ reason }) => reason)).toEqual(['first']);
    for (const [index, at] of [
      { x: 100, y: 100 },
      { x: 640, y: 333 },
      { x: 1200, y: 700 },
    ].entries()) {
      await painter.char(at.x, at.y, scale ? 'W' : 'M');
      await expect.poll(() => receipts.length, { timeout: 20_000 }).toBe(index + 2);
      expect(covers(receipts.at(-1)?.changed, { x: at.x + 4, y: at.y + 8 })).toBe(true);
      await expect.poll(() => watch.counts().gated, { timeout: 20_000 }).toBeGreaterThan(8 + 3 * index);
      expect(receipts).toHaveLength(index + 2);
    }
  }
}, 60_000);

test('02 the damage of frames that nobody pulled is not lost', async () => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
  await using painter = await startPainter(display);
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, cursor: false, keepAliveMs: 200 },
  });
  await using sampler = new Sampler(capture.url);
  const first = await sampler.next();
  const places = [0, 1, 2, 3, 4].map((index) => ({ x: 20 + 100 * index, y: 40 + 80 * index }));
  for (const { x, y } of places) {
    const seen = sampler.framesSeen;
    await painter.char(x, y, 'M');
    await expect.poll(() => sampler.framesSeen, { timeout: 20_000 }).toBeGreaterThan(seen);
  }
  await sleep(300);
  const last = await sampler.next();
  const damage = sampler.damageBetween(first.sequence, last.sequence);
  for (const { x, y } of places) expect(covers(damage, { x: x + 4, y: y + 8 })).toBe(true);
  expect(sampler.damageBetween(last.sequence, last.sequence)).toEqual([]);
  // Its last frame has not come yet.
  expect(sampler.damageBetween(first.sequence, last.sequence + 1000)).toBeUndefined();
}, 60_000);

test('03 a stream that lost a frame does not know what changed, nor does one that begins anew', () => {
  const damage = [{ x: 1, y: 2, width: 3, height: 4 }];
  const metadata = (frameNumber: number, changes: Partial<FrameMetadata> = {}): FrameMetadata => ({
    frameNumber,
    capturedMonotonicNs: BigInt(frameNumber),
    capturedWallUs: 0n,
    clockId: 1n,
    source: { width: 640, height: 480 },
    plan: 'source',
    damage,
    ...changes,
  });
  const log = new DamageLog();
  for (const [sequence, frameNumber] of [10, 11, 12, 14, 15].entries()) log.record(sequence, metadata(frameNumber));
  log.record(5, metadata(16, { source: { width: 320, height: 240 } }));
  log.record(6, metadata(17, { source: { width: 320, height: 240 } }));
  const { damage: _, ...unknown } = metadata(18, { source: { width: 320, height: 240 } });
  log.record(7, unknown);
  expect(log.between(0, 2)).toEqual([...damage, ...damage]);
  expect(log.between(2, 3)).toBeUndefined();
  expect(log.between(3, 4)).toEqual(damage);
  expect(log.between(4, 5)).toBeUndefined();
  expect(log.between(5, 6)).toEqual(damage);
  expect(log.between(6, 7)).toBeUndefined();
  for (let sequence = 8; sequence < 3000; sequence += 1) log.record(sequence, metadata(sequence));
  expect(log.between(8, 2999)).toBeUndefined();
  expect(log.between(2990, 2999)).toHaveLength(9);
});
