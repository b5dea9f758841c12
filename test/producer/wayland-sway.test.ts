import { expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { Frame } from '../../src/core/index.js';
import { screenSource } from '../../src/producer/index.js';
import { buildCommands, startCap, streamUrl } from '../support/cap.js';
import { serveCapture } from '../support/capture.js';
import { KnownPicture } from '../support/known-picture.js';
import { startRawFrames } from '../support/raw-capture.js';
import { startSway } from '../support/sway.js';
import { expectPicture } from '../support/wayland-capture.js';

const SIZE = { width: 400, height: 300 };

/** Four quarters of plain colours, which say how it is turned even after H.264. */
function quarters(width: number, height: number): KnownPicture {
  const picture = KnownPicture.noise(width, height, 1);
  const half = { width: width / 2, height: height / 2 };
  picture.paint({ x: 0, y: 0, ...half }, 0xc83214);
  picture.paint({ x: half.width, y: 0, ...half }, 0x14c832);
  picture.paint({ x: 0, y: half.height, ...half }, 0x1432c8);
  picture.paint({ x: half.width, y: half.height, ...half }, 0xf0f0f0);
  return picture;
}

test('sway: pictures come back pixel by pixel, turned and in other sizes', async () => {
  await using sway = await startSway(1, SIZE.width, SIZE.height);
  const { launch, properties } = screenSource({ display: sway.display, cursor: false });
  await using frames = await startRawFrames({ launch, properties, source: SIZE });
  const show = async (width: number, height: number, seed: number, when: string): Promise<void> => {
    const picture = KnownPicture.noise(width, height, seed);
    await sway.show('HEADLESS-1', picture);
    await expectPicture(frames, picture, when);
  };
  await show(400, 300, 1, 'at the beginning');
  await show(400, 300, 2, 'another picture');
  for (const [index, transform] of [
    '90',
    '180',
    '270',
    'flipped',
    'flipped-90',
    'flipped-180',
    'flipped-270',
  ].entries()) {
    await sway.command(`output HEADLESS-1 transform ${transform}`);
    const [width, height] = transform.endsWith('90') || transform.endsWith('270') ? [300, 400] : [400, 300];
    await show(width, height, index + 3, transform);
  }
  await sway.command('output HEADLESS-1 transform normal');
  await sway.command('output HEADLESS-1 mode 640x202');
  await show(640, 202, 10, '640x202');
});

test('cap --rtsp --display-server wayland streams the monitor of $WAYLAND_DISPLAY', async () => {
  await buildCommands();
  await using sway = await startSway(1, SIZE.width, SIZE.height);
  const picture = quarters(SIZE.width, SIZE.height);
  await sway.show('HEADLESS-1', picture);
  await using cap = startCap(['--rtsp', '--rtsp-port', '0', '--display-server', 'wayland'], {
    env: { WAYLAND_DISPLAY: sway.display },
  });
  const sampler = new Sampler(await streamUrl(cap));
  try {
    await until(sampler, (frame) => looksLike(frame, picture));
  } finally {
    await sampler.close();
  }
  sway.process.signal('SIGKILL');
  expect(await cap.waitForExit()).toMatchObject({ code: 6 });
  expect(cap.stderr).toContain('the Wayland compositor is gone');
});

test('sway: a monitor by its name is streamed over RTSP, with damage, through a turn, to its end', async () => {
  await using sway = await startSway(2, SIZE.width, SIZE.height);
  const picture = quarters(SIZE.width, SIZE.height);
  await sway.show('HEADLESS-2', picture);
  await using capture = await serveCapture({
    source: { kind: 'screen', displayServer: 'wayland', display: sway.display, monitor: 'HEADLESS-2' },
  });
  expect(capture.session.label).toBe('monitor HEADLESS-2 400x300');
  const failed = new Promise((resolve) => {
    capture.session.on('failed', resolve);
  });
  const sampler = new Sampler(capture.url);
  try {
    await until(sampler, (frame) => looksLike(frame, picture));
    picture.paint({ x: 40, y: 40, width: 100, height: 60 }, 0x101010);
    await sway.show('HEADLESS-2', picture);
    await until(sampler, (frame) => looksLike(frame, picture));
    await sway.command('output HEADLESS-2 transform 90');
    const turned = quarters(SIZE.height, SIZE.width);
    await sway.show('HEADLESS-2', turned);
    const frame = await until(sampler, (one) => looksLike(one, turned));
    expect(frame.metadata?.source).toEqual({ width: 300, height: 400 });
  } finally {
    await sampler.close();
  }
  sway.process.signal('SIGKILL');
  expect(await failed).toMatchObject({
    code: 'CAP_SOURCE_LOST',
    message: 'monitor HEADLESS-2 400x300: the Wayland compositor is gone',
  });
});

/** Whether most of it is about the same: it has been through 4:2:0 and H.264. */
function looksLike(frame: Frame, picture: KnownPicture): boolean {
  if (frame.width !== picture.size.width || frame.height !== picture.size.height) return false;
  const rgb = picture.rgb;
  const off = frame.data.reduce((count, value, index) => count + (Math.abs(value - (rgb[index] ?? 0)) > 30 ? 1 : 0), 0);
  return off < rgb.length * 0.02;
}

async function until(sampler: Sampler, matches: (frame: Frame) => boolean): Promise<Frame> {
  let afterSequence = -1;
  for (let i = 0; i < 300; i++) {
    const frame = await sampler.next({ afterSequence });
    if (matches(frame)) return frame;
    afterSequence = frame.sequence;
  }
  throw new Error('no frame of 300 was the one waited for');
}
