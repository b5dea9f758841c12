import { expect, test } from 'vitest';
import type { Rect } from '../../src/core/index.js';
import { KnownPicture } from '../support/known-picture.js';
import { seededRandom } from '../support/prng.js';
import { type CaptureProtocol, startTestCompositor } from '../support/test-compositor.js';
import { captureCompositor, expectGoodClient, expectPicture } from '../support/wayland-capture.js';

const SIZE = { width: 322, height: 182 };
const PROTOCOLS = ['ext', 'wlr'] as const;

/** Numbers of wl_shm.format: 0 and 1 are its own, the others are DRM's four letters. */
const fourcc = (text: string): number => Buffer.from(text).readUInt32LE();
const EIGHT_BITS = [1, 0, ...['XB24', 'AB24', 'RX24', 'RA24', 'BX24', 'BA24', 'RG24', 'BG24'].map(fourcc)];
const TEN_BITS = ['XR30', 'AR30', 'XB30', 'AB30'].map(fourcc);
const FIVE_BITS = ['RG16', 'BG16'].map(fourcc);

const quantized = (colour: number): number => {
  const five = (value: number): number => ((value >> 3) << 3) | (value >> 5);
  const six = (value: number): number => ((value >> 2) << 2) | (value >> 6);
  return (five(colour >>> 16) << 16) | (six((colour >>> 8) & 0xff) << 8) | five(colour & 0xff);
};

test.each(PROTOCOLS)('%s: the picture comes back pixel by pixel in every format', async (protocol) => {
  await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
  await using frames = await captureCompositor(compositor, SIZE);
  await expectPicture(frames, KnownPicture.noise(SIZE.width, SIZE.height, 1), 'at the beginning');
  for (const [index, format] of [...EIGHT_BITS, ...TEN_BITS, ...FIVE_BITS].entries()) {
    const seed = index + 2;
    await compositor.tell(`formats ${format}`);
    await compositor.tell(`picture ${SIZE.width} ${SIZE.height} ${seed}`);
    const picture = KnownPicture.noise(SIZE.width, SIZE.height, seed);
    await expectPicture(frames, FIVE_BITS.includes(format) ? picture.map(quantized) : picture, `format ${format}`);
  }
  await expectGoodClient(compositor);
});

const turns = [0, 1, 2, 3, 4, 5, 6, 7];
const kinds: readonly { readonly protocol: CaptureProtocol; readonly orders: readonly string[] }[] = [
  { protocol: 'ext', orders: [] },
  { protocol: 'wlr', orders: ['stride 52'] },
  { protocol: 'wlr', orders: ['invert 1'] },
  { protocol: 'ext', orders: [`formats ${fourcc('BG24')}`] },
];

test.each(kinds)(
  '$protocol, $orders: turned and mirrored outputs are upright, change by change',
  async ({ protocol, orders }) => {
    const size = { width: 161, height: 90 };
    const random = seededRandom(7);
    await using compositor = await startTestCompositor(protocol, size.width, size.height);
    for (const order of orders) await compositor.tell(order);
    await using frames = await captureCompositor(compositor, size);
    for (const turn of turns) {
      await compositor.tell(`transform ${turn}`);
      await compositor.tell(`picture ${size.width} ${size.height} ${turn + 1}`);
      const picture = KnownPicture.noise(size.width, size.height, turn + 1);
      await expectPicture(frames, picture, `transform ${turn}`);
      for (let i = 0; i < 4; i++) {
        const x = random.below(size.width);
        const y = random.below(size.height);
        const rect = { x, y, width: 1 + random.below(size.width - x), height: 1 + random.below(size.height - y) };
        const colour = random.below(0x1000000);
        await compositor.tell(`rect ${x} ${y} ${rect.width} ${rect.height} ${colour.toString(16)}`);
        picture.paint(rect, colour);
        await expectPicture(frames, picture, `transform ${turn}, ${JSON.stringify(rect)}`);
      }
    }
    await expectGoodClient(compositor);
  },
);

test.each(PROTOCOLS)(
  '%s: a region is cut out of a turned output, and follows changes across its edges',
  async (protocol) => {
    const region: Rect = { x: 33, y: 21, width: 101, height: 75 };
    await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
    await compositor.tell('transform 5');
    const properties = Object.fromEntries(Object.entries(region).map(([name, value]) => [name, String(value)]));
    await using frames = await captureCompositor(compositor, region, properties);
    const picture = KnownPicture.noise(SIZE.width, SIZE.height, 1);
    await expectPicture(frames, picture.crop(region), 'at the beginning');
    for (const [index, rect] of [
      { x: 0, y: 0, width: 34, height: 22 },
      { x: 133, y: 95, width: 60, height: 60 },
      { x: 60, y: 0, width: 3, height: 180 },
    ].entries()) {
      await compositor.tell(`rect ${rect.x} ${rect.y} ${rect.width} ${rect.height} ${(index + 1) * 5000}`);
      picture.paint(rect, Number.parseInt(String((index + 1) * 5000), 16));
      await expectPicture(frames, picture.crop(region), `rectangle ${index}`);
    }
    await compositor.tell('picture 120 90 2');
    expect(await frames.failed).toMatchObject({
      code: 'CAP_SOURCE_LOST',
      message: expect.stringContaining('101x75+33+21 lies outside'),
    });
  },
);

test.each(PROTOCOLS)('%s: a change of size in mid-session is followed', async (protocol) => {
  await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
  await using frames = await captureCompositor(compositor, SIZE);
  for (const [index, [width, height]] of (
    [
      [400, 300],
      [121, 77],
      [640, 200],
      [322, 182],
    ] as const
  ).entries()) {
    await compositor.tell(`picture ${width} ${height} ${index + 5}`);
    await expectPicture(frames, KnownPicture.noise(width, height, index + 5), `${width}x${height}`);
  }
  await expectGoodClient(compositor);
});

test('the cursor is in the picture when it is asked for', async () => {
  for (const protocol of PROTOCOLS) {
    await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
    await using frames = await captureCompositor(compositor, SIZE, { 'show-pointer': 'true' });
    const picture = KnownPicture.noise(SIZE.width, SIZE.height, 1);
    picture.paint({ x: 10, y: 20, width: 8, height: 12 }, 0xff00ff);
    await expectPicture(frames, picture, protocol);
  }
});
