import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { CapError, Frame, Rect } from '../../src/core/index.js';
import type { ScreenOptions } from '../../src/producer/index.js';
import { CaptureSession } from '../../src/session/index.js';
import { serveCapture } from '../support/capture.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import { seededRandom } from '../support/prng.js';
import { run } from '../support/process.js';
import { lumaOf, psnr } from '../support/psnr.js';
import { type PictureWindow, showPicture } from '../support/screen.js';

const SIZE = { width: 640, height: 480 };
const BLOCK_PX = 8;
/** Blocks that are a pixel off their place have less than 20 dB. */
const LEAST_PSNR_DB = 30;

let display: TestDisplay;
let picture: PictureWindow;
let rgb: Buffer;

/** Blocks of random greys: one pixel aside it is another picture. */
function blocks(): Buffer {
  const random = seededRandom(5);
  const columns = SIZE.width / BLOCK_PX;
  const greys = Array.from({ length: columns * (SIZE.height / BLOCK_PX) }, () => random.below(256));
  const out = Buffer.alloc(SIZE.width * SIZE.height * 3);
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width; x++) {
      const grey = greys[Math.floor(y / BLOCK_PX) * columns + Math.floor(x / BLOCK_PX)] ?? 0;
      out.fill(grey, (y * SIZE.width + x) * 3, (y * SIZE.width + x) * 3 + 3);
    }
  }
  return out;
}

beforeAll(async () => {
  rgb = blocks();
  display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  picture = await showPicture(display, { widthPx: SIZE.width, heightPx: SIZE.height, rgb });
  // The first one takes the output, which would otherwise stay a monitor of its own.
  await run('xrandr', ['--setmonitor', 'LEFT', '320/100x480/150+0+0', 'screen'], { env: display.env });
  await run('xrandr', ['--setmonitor', 'RIGHT', '320/100x480/150+320+0', 'none'], { env: display.env });
});

afterAll(async () => {
  await picture.close();
  await display.close();
});

async function capturedFrame(options: ScreenOptions): Promise<Frame> {
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, cursor: false, ...options },
  });
  const sampler = new Sampler(capture.url);
  try {
    return await sampler.next();
  } finally {
    await sampler.close();
  }
}

const cut = (area: Rect): Promise<Buffer> =>
  sharp(rgb, { raw: { ...SIZE, channels: 3 } })
    .extract({ left: area.x, top: area.y, width: area.width, height: area.height })
    .raw()
    .toBuffer();

describe('a part of the screen is captured to the pixel', () => {
  const whole = { x: 0, y: 0, ...SIZE };
  const odd = { x: 33, y: 47, width: 201, height: 101 };
  const parts: [string, ScreenOptions, Rect][] = [
    ['the whole screen', {}, whole],
    ['a region', { region: { x: 100, y: 50, width: 200, height: 100 } }, { x: 100, y: 50, width: 200, height: 100 }],
    ['a region of odd place and size', { region: odd }, { ...odd, width: 200, height: 100 }],
    [
      'the last pixels',
      { region: { x: 620, y: 470, width: 20, height: 10 } },
      { x: 620, y: 470, width: 20, height: 10 },
    ],
    ['a monitor by number', { monitor: '2' }, { x: 320, y: 0, width: 320, height: 480 }],
    ['a monitor by name', { monitor: 'LEFT' }, { x: 0, y: 0, width: 320, height: 480 }],
  ];
  test.each(parts)('%s', async (_, options, area) => {
    const frame = await capturedFrame(options);
    expect(frame).toMatchObject({ width: area.width, height: area.height, metadata: { plan: 'source' } });
    expect(frame.metadata?.source).toEqual(
      options.region
        ? { width: options.region.width, height: options.region.height }
        : { width: area.width, height: area.height },
    );
    expect(psnr(lumaOf(frame.data), lumaOf(await cut(area)))).toBeGreaterThan(LEAST_PSNR_DB);
  });
});

describe('what is not there is refused with a hint', () => {
  const open = async (options: ScreenOptions): Promise<void> => {
    const session = await CaptureSession.open({ source: { kind: 'screen', ...options } });
    await session.close();
  };

  test('no display, or one that cannot be opened', async () => {
    vi.stubEnv('DISPLAY', '');
    try {
      const unavailable = { code: 'CAP_DISPLAY_UNAVAILABLE', hint: expect.stringContaining('--source test') };
      await expect(open({})).rejects.toMatchObject(unavailable);
      await expect(open({ display: ':65000' })).rejects.toMatchObject(unavailable);
      await expect(open({ display: 'no such display' })).rejects.toMatchObject(unavailable);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('an unknown monitor or window, an impossible region, two choices at once', async () => {
    const { name } = display;
    const refused = (hint: string) => ({ code: 'CAP_SOURCE_NOT_FOUND', hint: expect.stringContaining(hint) });
    for (const monitor of ['3', '0', 'MIDDLE', '']) {
      await expect(open({ display: name, monitor })).rejects.toMatchObject(refused('LEFT'));
    }
    await expect(open({ display: name, window: 'no such window' })).rejects.toMatchObject(refused('"picture"'));
    await expect(open({ display: name, window: '0x7777777' })).rejects.toMatchObject(refused('"picture"'));
    for (const region of [
      { x: 600, y: 0, width: 41, height: 100 },
      { x: 0, y: 480, width: 10, height: 10 },
      { x: 0, y: 0, width: 641, height: 480 },
    ]) {
      await expect(open({ display: name, region })).rejects.toMatchObject(refused('640x480'));
    }
    const both = { monitor: '1', region: { x: 0, y: 0, width: 10, height: 10 } };
    await expect(open({ display: name, ...both })).rejects.toMatchObject({ code: 'CAP_USAGE' });
  });
});

describe('a lost display', () => {
  test.each([
    ['the screen', {}],
    ['a region', { region: { x: 0, y: 0, width: 100, height: 100 } }],
    ['a window', { window: 'picture' }],
  ])('ends the capture of %s with an error, and nothing else', async (_, options) => {
    const dying = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
    try {
      await using _window = await showPicture(dying, { widthPx: SIZE.width, heightPx: SIZE.height, rgb });
      const session = await CaptureSession.open({ source: { kind: 'screen', display: dying.name, ...options } });
      const failed = new Promise<CapError>((resolve) => session.on('failed', resolve));
      dying.server.signal('SIGKILL');
      expect(await failed).toMatchObject({ code: 'CAP_SOURCE_LOST', message: expect.stringContaining(dying.name) });
      await session.close();
      // The other display, and this process, live on.
      expect(await capturedFrame({})).toMatchObject(SIZE);
    } finally {
      await dying.close();
    }
  });
});
