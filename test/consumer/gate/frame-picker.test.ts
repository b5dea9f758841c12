import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterEach, expect, test } from 'vitest';
import { type Receipt, Watch, type WatchOptions } from '../../../src/consumer/index.js';
import { CapError } from '../../../src/core/index.js';
import { BLACK, Canvas, RED, WHITE } from '../../support/canvas.js';
import { ManualSource } from '../../support/manual-source.js';
import { seededRandom } from '../../support/prng.js';
import { ScriptAdaptor } from '../../support/script-adaptor.js';

const watches: Watch[] = [];
afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.close();
});

function observe(options: WatchOptions = {}) {
  const source = new ManualSource();
  const adaptor = new ScriptAdaptor();
  const canvas = new Canvas();
  const receipts: Receipt[] = [];
  const watch = new Watch(source, adaptor, {
    everyMs: 0,
    backOffMs: 1,
    mediaType: 'image/png',
    ...options,
    gate: { settleMs: 0, ...options.gate },
  });
  watches.push(watch);
  watch.on('answered', (_answer, receipt) => receipts.push(receipt));
  return { source, adaptor, canvas, receipts, watch };
}

/** The colour of a pixel in the picture of a request. */
async function pixel(adaptor: ScriptAdaptor, request: number, x: number, y: number): Promise<number> {
  const data = adaptor.requests.at(request)?.images[0]?.data;
  if (!data) throw new Error(`there is no request ${request}`);
  const { data: raw, info } = await sharp(data).raw().toBuffer({ resolveWithObject: true });
  return raw[(y * info.width + x) * info.channels] ?? -1;
}

function expectAddsUp(watch: Watch): void {
  const { seen, ...outcomes } = watch.counts();
  expect(seen).toBe(Object.values(outcomes).reduce((sum, count) => sum + count, 0));
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThanOrEqual(0);
}

test('01 a still screen is described once', async () => {
  const { source, canvas, receipts, watch } = observe();
  const showing = setInterval(() => source.show(canvas.frame()), 30);
  await expect.poll(() => watch.counts().gated, { timeout: 10_000 }).toBeGreaterThanOrEqual(5);
  clearInterval(showing);
  await watch.close();
  expect(receipts.map(({ reason }) => reason)).toEqual(['first']);
  expect(watch.counts().answered).toBe(1);
  expectAddsUp(watch);
});

test('02 a change is sent with its rectangles', async () => {
  const { source, canvas, receipts } = observe();
  source.show(canvas.frame());
  await expect.poll(() => receipts.length).toBe(1);
  source.show(canvas.fill({ x: 32, y: 32, width: 16, height: 16 }, RED).frame());
  await expect.poll(() => receipts.length).toBe(2);
  expect(receipts[1]).toMatchObject({ reason: 'changed', changed: [{ x: 32, y: 32, width: 16, height: 16 }] });
});

test('03 a burst is sent once it calms, and then its last picture', async () => {
  const { source, adaptor, canvas, receipts, watch } = observe({ gate: { settleMs: 400, settleMaxMs: 60_000 } });
  source.show(canvas.frame());
  await expect.poll(() => receipts.length).toBe(1);
  for (let step = 0; step < 6; step += 1) {
    source.show(canvas.fill({ x: step * 20, y: 0, width: 16, height: 16 }, BLACK).frame());
    await sleep(100);
  }
  await expect.poll(() => receipts.length, { timeout: 10_000 }).toBe(2);
  await watch.close();
  expect(await pixel(adaptor, 1, 105, 5)).toBeLessThan(40);
  expectAddsUp(watch);
});

test('04 a burst that never calms is sent after its bound', async () => {
  const { source, canvas, receipts, watch } = observe({ gate: { settleMs: 60_000, settleMaxMs: 300 } });
  source.show(canvas.frame());
  await expect.poll(() => receipts.length).toBe(1);
  const drawing = setInterval(() => {
    source.show(canvas.noise({ x: 0, y: 0, width: 200, height: 200 }, 90, seededRandom(Date.now()).below).frame());
  }, 30);
  await expect.poll(() => receipts.length, { timeout: 10_000 }).toBeGreaterThan(1);
  clearInterval(drawing);
  await watch.close();
  expectAddsUp(watch);
});

test('05 silence is bounded by the heartbeat', async () => {
  const { source, canvas, receipts } = observe({ gate: { heartbeatMs: 300 } });
  const showing = setInterval(() => source.show(canvas.frame()), 50);
  await expect.poll(() => receipts.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
  clearInterval(showing);
  expect(receipts.slice(0, 3).map(({ reason }) => reason)).toEqual(['first', 'heartbeat', 'heartbeat']);
  expect(receipts[1]?.changed).toEqual([]);
});

test('06 a dialog that was there while the model thought is shown, and then the screen without it', async () => {
  const { source, adaptor, canvas, receipts, watch } = observe();
  let release = (): void => {};
  const thinking = new Promise<void>((resolve) => {
    release = resolve;
  });
  adaptor.answer = () => thinking.then(() => ({}));
  source.show(canvas.frame());
  await expect.poll(() => adaptor.requests.length).toBe(1);
  const dialog = { x: 100, y: 60, width: 120, height: 80 };
  source.show(canvas.fill(dialog, RED).frame());
  // Looked at and kept: the next look does not count it as passed over.
  await sleep(300);
  source.show(canvas.fill(dialog, WHITE).frame());
  await sleep(300);
  expect(adaptor.requests).toHaveLength(1);
  release();
  await expect.poll(() => receipts.length, { timeout: 10_000 }).toBe(3);
  expect(await pixel(adaptor, 1, 150, 100)).toBe(RED[0]);
  expect(await pixel(adaptor, 2, 150, 100)).toBe(WHITE[0]);
  await watch.close();
  expectAddsUp(watch);
});

test('07 what a failed request would have shown is shown again', async () => {
  const { source, adaptor, canvas, receipts } = observe();
  source.show(canvas.frame());
  await expect.poll(() => receipts.length).toBe(1);
  let failures = 2;
  adaptor.answer = async () => {
    failures -= 1;
    if (failures >= 0) throw new CapError('CAP_PROVIDER_UNAVAILABLE', 'not now');
    return {};
  };
  canvas.fill({ x: 32, y: 32, width: 16, height: 16 }, RED);
  const showing = setInterval(() => source.show(canvas.frame()), 30);
  await expect.poll(() => receipts.length, { timeout: 10_000 }).toBe(2);
  clearInterval(showing);
  expect(adaptor.requests).toHaveLength(4);
  expect(receipts[1]).toMatchObject({ reason: 'changed', changed: [{ x: 32, y: 32, width: 16, height: 16 }] });
});

test('08 whatever happens the accounts add up, answers keep their order, and the last picture is seen', async () => {
  for (const seed of [1, 2, 3]) {
    const { below } = seededRandom(seed);
    const { source, adaptor, canvas, receipts, watch } = observe({
      concurrency: 1 + below(3),
      staleAfterMs: 400,
      gate: { settleMs: below(2) * 60, settleMaxMs: 200, heartbeatMs: 1000 },
    });
    adaptor.answer = async () => {
      await sleep(below(60));
      if (below(4) === 0) throw new CapError('CAP_PROVIDER_UNAVAILABLE', 'not now');
      return {};
    };
    for (let step = 0; step < 120; step += 1) {
      const where = { x: below(300), y: below(220), width: 1 + below(20), height: 1 + below(20) };
      if (below(3) === 0) canvas.fill(where, [BLACK, WHITE, RED][below(3)] ?? RED);
      source.show(canvas.frame());
      await sleep(below(25));
      expectAddsUp(watch);
    }
    adaptor.answer = async () => ({});
    canvas.fill({ x: 0, y: 0, width: 64, height: 64 }, [1, 2, 3]);
    const showing = setInterval(() => source.show(canvas.frame()), 50);
    await expect.poll(() => pixel(adaptor, -1, 30, 30), { timeout: 10_000 }).toBe(1);
    clearInterval(showing);
    await watch.close();
    expectAddsUp(watch);
    expect(watch.counts().pending).toBe(0);
    const order = receipts.map(({ frameNumber }) => frameNumber);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  }
}, 60_000);
