import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  type Adaptor,
  type AdaptorRequest,
  openAdaptor,
  type Receipt,
  Watch,
  type WatchOptions,
} from '../../../src/consumer/index.js';
import { CapError } from '../../../src/core/index.js';
import { BLACK, Canvas, RED, WHITE } from '../../support/canvas.js';
import { FAKE_CLOUDS, type FakeCloud } from '../../support/fake-provider/clouds.js';
import { FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../../support/fake-provider.js';
import { ManualSource } from '../../support/manual-source.js';
import { seededRandom } from '../../support/prng.js';
import { ScriptAdaptor } from '../../support/script-adaptor.js';

const SIZE = { width: 640, height: 480 };
const SPOT = { x: 320, y: 240, width: 12, height: 16 };

let server: FakeProvider;
beforeAll(async () => {
  server = await FakeProvider.start();
});
afterAll(() => server.close());
const watches: Watch[] = [];
afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.close();
  server.reset();
});

function observe<Asked extends Adaptor>(adaptor: Asked, options: WatchOptions = {}) {
  const source = new ManualSource();
  const canvas = new Canvas(SIZE);
  const receipts: Receipt[] = [];
  const watch = new Watch(source, adaptor, {
    everyMs: 0,
    backOffMs: 1,
    mediaType: 'image/png',
    prompt: 'What is new?',
    deltas: {},
    ...options,
    gate: { settleMs: 0, ...options.gate },
  });
  watches.push(watch);
  watch.on('answered', (_answer, receipt) => receipts.push(receipt));
  /** Shows the canvas, again and again, as a stream does, and waits for the answer about it. */
  const show = async (): Promise<Receipt> => {
    const count = receipts.length;
    const showing = setInterval(() => source.show(canvas.frame()), 30);
    try {
      await expect.poll(() => receipts.length, { timeout: 20_000 }).toBe(count + 1);
    } finally {
      clearInterval(showing);
    }
    return receipts[count] as Receipt;
  };
  return { source, adaptor, canvas, receipts, watch, show };
}

function openCloud({ name, model, basePath, api }: Pick<FakeCloud, 'name' | 'model' | 'basePath' | 'api'>) {
  const baseUrl = `${server.origin}${basePath}`;
  return openAdaptor(name, { model, apiKey: FAKE_KEY, baseUrl, ...(api ? { api } : {}) });
}

async function pixelsOf(data: Buffer): Promise<Buffer> {
  return sharp(data).removeAlpha().raw().toBuffer();
}

test('01 after the whole picture only what changed is sent, with its place, and the receipt says so', async () => {
  const adaptor = new ScriptAdaptor();
  const { canvas, show } = observe(adaptor);
  expect(await show()).not.toHaveProperty('delta');
  canvas.fill(SPOT, RED);
  const receipt = await show();
  const region = { x: 256, y: 192, width: 128, height: 128 };
  expect(receipt).toMatchObject({
    images: [{ width: 128, height: 128 }],
    delta: { whole: SIZE, regions: [region], wholeTokens: 300 },
  });
  expect(JSON.parse(JSON.stringify(receipt))).toEqual(receipt);
  const request = adaptor.requests[1];
  expect(request?.prompt).toContain('640x480 pixels');
  expect(request?.prompt).toContain('Image 1: x 256 to 384, y 192 to 320\n');
  expect(request?.prompt).toMatch(/\n\nWhat is new\?$/);
  const cut = await sharp(canvas.frame().data, { raw: { ...SIZE, channels: 3 } })
    .extract({ left: region.x, top: region.y, width: region.width, height: region.height })
    .raw()
    .toBuffer();
  expect(await pixelsOf(request?.images[0]?.data ?? Buffer.alloc(0))).toEqual(cut);
});

test('02 the model is told what it said since the whole was shown, by every wire format that holds a conversation', async () => {
  const conversing = FAKE_CLOUDS.filter(({ name }) => name !== 'gemini' && name !== 'deepseek-ocr');
  expect(conversing.length).toBeGreaterThan(4);
  for (const { title: name, ...cloud } of conversing) {
    const adaptor = await openCloud(cloud);
    const { canvas, watch, show } = observe(adaptor);
    await show();
    canvas.fill(SPOT, RED);
    expect((await show()).delta?.regions, name).toHaveLength(1);
    canvas.fill({ ...SPOT, x: 20 }, BLACK);
    await show();
    const [, first, second] = server.requests.map(({ body }) => JSON.stringify(body));
    for (const body of [first, second]) {
      expect(body, name).toContain('(The whole picture was shown here, ');
      expect(body, name).toContain(FAKE_DELTAS.join(''));
    }
    expect(first, name).not.toContain('(Parts of the picture');
    expect(second, name).toContain('(Parts of the picture');
    expect(server.requests.map(({ images }) => images.length)).toEqual([1, 1, 1]);
    await watch.close();
    await adaptor.close();
    server.reset();
  }
}, 60_000);

test('03 the whole is sent again after so many, after a failure and at another size', async () => {
  const adaptor = new ScriptAdaptor();
  const { canvas, source, show } = observe(adaptor, { deltas: { fullEvery: 2 } });
  const parts: boolean[] = [];
  for (let step = 0; step < 5; step += 1) {
    canvas.fill({ ...SPOT, x: 40 * step }, BLACK);
    parts.push((await show()).delta !== undefined);
  }
  expect(parts).toEqual([false, true, true, false, true]);
  adaptor.answer = async () => {
    adaptor.answer = async () => ({});
    throw new CapError('CAP_PROVIDER_UNAVAILABLE', 'not now');
  };
  canvas.fill({ ...SPOT, y: 40 }, RED);
  expect((await show()).delta).toBeUndefined();
  canvas.fill({ ...SPOT, y: 100 }, RED);
  expect((await show()).delta).toBeDefined();
  const before = adaptor.requests.length;
  source.show(new Canvas({ width: 320, height: 240 }).frame());
  await expect.poll(() => adaptor.requests.length, { timeout: 20_000 }).toBeGreaterThan(before);
  expect(adaptor.requests[before]).toMatchObject({ images: [{ width: 320, height: 240 }] });
});

test('04 the whole is sent where that costs no more: much has changed, much was said, or any picture costs the same', async () => {
  const adaptor = new ScriptAdaptor();
  const { canvas, show } = observe(adaptor);
  await show();
  canvas.fill({ x: 0, y: 0, width: 640, height: 440 }, RED);
  expect((await show()).delta).toBeUndefined();
  adaptor.answer = async () => ({ text: 'word '.repeat(300) });
  canvas.fill(SPOT, BLACK);
  expect((await show()).delta).toBeDefined();
  canvas.fill(SPOT, WHITE);
  expect((await show()).delta).toBeUndefined();

  const others = FAKE_CLOUDS.filter(({ name }) => name === 'gemini' || name === 'deepseek-ocr');
  expect(others).toHaveLength(2);
  for (const cloud of others) {
    const one = await openCloud(cloud);
    const same = observe(one, { prompt: one.fixedPrompt ?? 'What is new?' });
    await same.show();
    same.canvas.fill(SPOT, RED);
    expect((await same.show()).delta, one.provider).toBeUndefined();
    await same.watch.close();
    await one.close();
  }
});

test('05 another provider has not seen the whole, and the first one has missed what that one saw', async () => {
  const first = new ScriptAdaptor('first');
  const { canvas, show } = observe(first, { fallbacks: [new ScriptAdaptor('second')] });
  await show();
  first.answer = async () => {
    first.answer = async () => ({});
    throw new CapError('CAP_PROVIDER_UNAVAILABLE', 'not now');
  };
  const told: [string, boolean][] = [];
  for (let step = 0; step < 3; step += 1) {
    canvas.fill({ ...SPOT, x: 40 * step }, BLACK);
    const { provider, delta } = await show();
    told.push([provider, delta !== undefined]);
  }
  expect(told).toEqual([
    ['second', false],
    ['first', false],
    ['first', true],
  ]);
});

test('06 whatever happens, what a request shows and recalls is the whole screen', async () => {
  let checked = 0;
  for (const seed of [1, 2, 3, 4]) {
    const { below } = seededRandom(seed);
    const adaptor = new ScriptAdaptor();
    const asked: AdaptorRequest[] = [];
    const screens: Buffer[] = [];
    const { source, canvas, watch } = observe(adaptor, {
      concurrency: 1 + below(3),
      deltas: { fullEvery: 6 },
      staleAfterMs: 2000,
      gates: [() => (below(8) === 0 ? 'chance' : undefined)],
    });
    adaptor.answer = async (request) => {
      const id = asked.push(request) - 1;
      await sleep(below(40));
      if (below(12) === 0) throw new CapError('CAP_PROVIDER_UNAVAILABLE', 'not now');
      return { text: `#${id}` };
    };
    const shown: [id: number, frame: number][] = [];
    let parts = 0;
    watch.on('answered', ({ text, frameNumber, delta }) => {
      shown.push([Number(text.slice(1)), frameNumber]);
      if (delta) parts += 1;
    });
    for (let step = 0; step < 90 || parts < 8; step += 1) {
      const where = { x: 64 * below(9), y: 64 * below(7), width: 16 + 16 * below(3), height: 16 + 16 * below(3) };
      // The same places in two colours: much is undone again.
      if (below(2) === 0) canvas.fill(where, below(2) ? BLACK : WHITE);
      const frame = canvas.frame();
      screens.push(frame.data);
      source.show(frame);
      await sleep(below(30));
    }
    await watch.close();
    for (const [id, frame] of shown) {
      const request = asked[id];
      if (!request?.delta) continue;
      const recalled = (request.history ?? []).map(({ answer }) => asked[Number(answer.slice(1))]);
      expect(recalled[0]?.delta).toBeUndefined();
      const known = await assembled([...recalled, request].filter((one) => one !== undefined));
      expect(known.equals(screens[frame] ?? Buffer.alloc(0)), `request ${id} of seed ${seed}`).toBe(true);
      checked += 1;
    }
  }
  expect(checked).toBeGreaterThanOrEqual(4 * 8);
}, 90_000);

/** What a model knows after these requests. */
async function assembled(requests: readonly AdaptorRequest[]): Promise<Buffer> {
  let whole: Buffer = Buffer.alloc(0);
  for (const { images, delta } of requests) {
    if (!delta) {
      whole = await pixelsOf(images[0]?.data ?? whole);
      continue;
    }
    const parts = delta.regions.map(({ x, y }, at) => ({ input: images[at]?.data ?? whole, left: x, top: y }));
    whole = await sharp(whole, { raw: { ...SIZE, channels: 3 } })
      .composite(parts)
      .removeAlpha()
      .raw()
      .toBuffer();
  }
  return whole;
}
