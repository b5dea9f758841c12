import { expect, test } from 'vitest';
import type { Rect } from '../../src/core/index.js';
import { KnownPicture } from '../support/known-picture.js';
import { seededRandom } from '../support/prng.js';
import { captureShared } from '../support/shared-capture.js';
import { startTestDesktop, type TestDesktop } from '../support/test-desktop.js';
import { expectPicture } from '../support/wayland-capture.js';

const SIZE = { width: 322, height: 182 };
const startDesktop = (...backend: string[]): Promise<TestDesktop> =>
  startTestDesktop({ widthPx: SIZE.width, heightPx: SIZE.height, backend });

/** Numbers of wl_shm.format: 0 and 1 are its own, the others are DRM's four letters. */
const fourcc = (text: string): number => Buffer.from(text).readUInt32LE();
const FORMATS = [1, 0, ...['XB24', 'AB24', 'RX24', 'BX24', 'RG24', 'BG24', 'XR30', 'XB30'].map(fourcc)];

const first = (): KnownPicture => KnownPicture.noise(SIZE.width, SIZE.height, 1);

test('the shared screen comes back pixel by pixel in every format', async () => {
  await using desktop = await startDesktop();
  await using frames = await captureShared(desktop);
  expect(frames.label).toBe('shared monitor 322x182');
  await expectPicture(frames, first(), 'at the beginning');
  for (const [index, format] of FORMATS.entries()) {
    await desktop.tell(`format ${format}`);
    await desktop.tell(`picture ${SIZE.width} ${SIZE.height} ${index + 2}`);
    await expectPicture(frames, KnownPicture.noise(SIZE.width, SIZE.height, index + 2), `format ${format}`);
  }
});

test.each([[[]], [['margin 13']], [['tells-damage 0']], [['memory 1']], [['memory 1', 'margin 6']]])(
  'after %j it is upright however it is turned, change by change',
  async (orders) => {
    const random = seededRandom(5);
    await using desktop = await startDesktop();
    for (const order of orders) await desktop.tell(order);
    await using frames = await captureShared(desktop);
    for (const turn of [0, 1, 2, 3, 4, 5, 6, 7]) {
      await desktop.tell(`transform ${turn}`);
      await desktop.tell(`picture ${SIZE.width} ${SIZE.height} ${turn + 1}`);
      const picture = KnownPicture.noise(SIZE.width, SIZE.height, turn + 1);
      await expectPicture(frames, picture, `transform ${turn}`);
      for (let i = 0; i < 4; i++) {
        const x = random.below(SIZE.width);
        const y = random.below(SIZE.height);
        const rect = { x, y, width: 1 + random.below(SIZE.width - x), height: 1 + random.below(SIZE.height - y) };
        const colour = random.below(0x1000000);
        await desktop.tell(`rect ${x} ${y} ${rect.width} ${rect.height} ${colour.toString(16)}`);
        picture.paint(rect, colour);
        await expectPicture(frames, picture, `transform ${turn}, ${JSON.stringify(rect)}`);
      }
    }
  },
);

test('a flood of changes ends in the right picture', async () => {
  const random = seededRandom(6);
  await using desktop = await startDesktop();
  await using frames = await captureShared(desktop, {}, { fps: 10 });
  const picture = first();
  await expectPicture(frames, picture, 'at the beginning');
  for (let i = 0; i < 100; i++) {
    const rect = { x: random.below(300), y: random.below(160), width: 20, height: 20 };
    picture.paint(rect, i * 1000);
    await desktop.tell(`rect ${rect.x} ${rect.y} 20 20 ${(i * 1000).toString(16)}`);
  }
  await expectPicture(frames, picture, 'after the flood');
});

test('DMA-BUFs that the processor may not read are given up for shared memory', async () => {
  await using desktop = await startDesktop('memory=2');
  await using frames = await captureShared(desktop);
  await expectPicture(frames, first(), 'at the beginning');
});

test('a producer whose highest rate is fixed is taken as it is', async () => {
  await using desktop = await startDesktop('rate=144');
  await using frames = await captureShared(desktop, {}, { fps: 15 });
  await expectPicture(frames, first(), 'at the beginning');
});

test('a change of size in mid-session is followed', async () => {
  await using desktop = await startDesktop();
  await using frames = await captureShared(desktop);
  await expectPicture(frames, first(), 'at the beginning');
  const sizes = [
    [400, 300],
    [121, 77],
    [640, 200],
    [322, 182],
  ] as const;
  for (const [index, [width, height]] of sizes.entries()) {
    await desktop.tell(`picture ${width} ${height} ${index + 5}`);
    await expectPicture(frames, KnownPicture.noise(width, height, index + 5), `${width}x${height}`);
  }
});

test('buffers without a picture change nothing', async () => {
  await using desktop = await startDesktop();
  await using frames = await captureShared(desktop);
  const picture = first();
  await expectPicture(frames, picture, 'at the beginning');
  await desktop.tell('empty');
  await desktop.tell('rect 5 5 9 9 ff8800');
  picture.paint({ x: 5, y: 5, width: 9, height: 9 }, 0xff8800);
  await expectPicture(frames, picture, 'afterwards');
});

test('a region is cut out, and ends the capture when it lies outside', async () => {
  const region: Rect = { x: 33, y: 21, width: 101, height: 75 };
  await using desktop = await startDesktop('margin=1');
  await using frames = await captureShared(desktop, { region });
  const picture = first();
  await expectPicture(frames, picture.crop(region), 'at the beginning');
  await desktop.tell('rect 120 90 60 60 123456');
  picture.paint({ x: 120, y: 90, width: 60, height: 60 }, 0x123456);
  await expectPicture(frames, picture.crop(region), 'across its edge');
  await desktop.tell('picture 120 90 2');
  expect(await frames.failed).toMatchObject({
    code: 'CAP_SOURCE_LOST',
    message: expect.stringContaining('101x75+33+21 lies outside'),
  });
});

test('a screen that gives no picture before something changes is grey until then', async () => {
  await using desktop = await startDesktop('silent');
  await using frames = await captureShared(desktop);
  const grey = await frames.newest();
  expect([grey.width, grey.height]).toEqual([SIZE.width, SIZE.height]);
  expect(new Set(grey.data).size).toBe(1);
  await desktop.tell('rect 40 40 3 3 00ff00');
  const picture = first();
  picture.paint({ x: 40, y: 40, width: 3, height: 3 }, 0x00ff00);
  await expectPicture(frames, picture, 'after the first change');
});

test('a still screen costs no frames but those that keep the stream alive', async () => {
  await using desktop = await startDesktop();
  await using frames = await captureShared(desktop, { keepAliveMs: 50 });
  await expectPicture(frames, first(), 'at the beginning');
  const { sequence } = await frames.newest();
  // Repeated, without anything new from the desktop.
  await frames.until((frame) => frame.sequence > sequence + 3);
  await desktop.tell('stats');
  expect(desktop.backend.stdout).toMatch(/^stats 1 1$/m);
});
