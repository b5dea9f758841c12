import { expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { CapError, Frame } from '../../src/core/index.js';
import { serveCapture } from '../support/capture.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import { run } from '../support/process.js';
import { type Picture, showPicture } from '../support/screen.js';

const GREEN: Colour = [20, 200, 60];
const RED: Colour = [210, 30, 30];

type Colour = readonly [number, number, number];

function plain(widthPx: number, heightPx: number, colour: Colour): Picture {
  const rgb = new Uint8Array(widthPx * heightPx * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = colour[i % 3] ?? 0;
  return { widthPx, heightPx, rgb };
}

/** Whether all of the picture is about that colour: it has been through 4:2:0 and H.264. */
function isAll(frame: Frame, colour: Colour): boolean {
  return frame.data.every((value, index) => Math.abs(value - (colour[index % 3] ?? 0)) < 24);
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

async function windowId(display: TestDisplay): Promise<string> {
  const { stdout } = await run('xdotool', ['search', '--name', '^picture$'], { env: display.env });
  return stdout.trim().split('\n')[0] ?? '';
}

const xdotool = (display: TestDisplay, ...args: string[]) => run('xdotool', args, { env: display.env });

test('a window is captured whole where another covers it, and follows moves and resizes', async () => {
  await using display = await startDisplay({ widthPx: 800, heightPx: 600 });
  await using wanted = await showPicture(display, plain(320, 240, GREEN));
  const id = await windowId(display);
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, window: 'picture', cursor: false },
  });
  const sampler = new Sampler(capture.url);
  try {
    expect(isAll(await sampler.next(), GREEN)).toBe(true);

    await using _cover = await showPicture(display, plain(700, 500, RED));
    await wanted.show(plain(320, 240, [40, 60, 220]));
    const covered = await until(sampler, (frame) => isAll(frame, [40, 60, 220]));
    expect(covered).toMatchObject({ width: 320, height: 240 });

    await xdotool(display, 'windowmove', '--sync', id, '600', '450');
    await wanted.show(plain(320, 240, GREEN));
    // Most of it is outside of the screen now.
    await until(sampler, (frame) => isAll(frame, GREEN));

    await xdotool(display, 'windowsize', id, '400', '300');
    const larger = await until(sampler, (frame) => frame.width === 400);
    expect(larger.height).toBe(300);
    expect(larger.metadata?.source).toEqual({ width: 400, height: 300 });
  } finally {
    await sampler.close();
  }
});

test('the stream ends with a clear error when the window closes', async () => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
  const window = await showPicture(display, plain(200, 100, GREEN));
  await using capture = await serveCapture({ source: { kind: 'screen', display: display.name, window: 'picture' } });
  const failed = new Promise<CapError>((resolve) => {
    capture.session.on('failed', resolve);
  });
  await window.close();
  expect(await failed).toMatchObject({ code: 'CAP_SOURCE_LOST', message: 'the window was closed' });
});

test('a window is found by id too, and an unknown one is refused with a list of those there are', async () => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
  await using _window = await showPicture(display, plain(200, 100, GREEN));
  const id = await windowId(display);
  const source = (window: string) => ({ kind: 'screen', display: display.name, window }) as const;
  {
    await using capture = await serveCapture({ source: source(id) });
    expect(capture.session.plan.canvas).toEqual({ width: 200, height: 100 });
  }
  await expect(serveCapture({ source: source('no such title') })).rejects.toMatchObject({
    code: 'CAP_SOURCE_NOT_FOUND',
    hint: expect.stringContaining('"picture"'),
  });
});
