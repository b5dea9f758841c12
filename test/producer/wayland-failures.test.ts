import { expect, test } from 'vitest';
import { KnownPicture } from '../support/known-picture.js';
import { startTestCompositor } from '../support/test-compositor.js';
import { captureCompositor, expectGoodClient, expectPicture } from '../support/wayland-capture.js';

const SIZE = { width: 160, height: 100 };
const PROTOCOLS = ['ext', 'wlr'] as const;
const AR15 = Buffer.from('AR15').readUInt32LE();

const lost = (message: string | RegExp) => ({
  code: 'CAP_SOURCE_LOST',
  message: typeof message === 'string' ? message : expect.stringMatching(message),
});

test.each([
  ['ext', 0],
  ['ext', 1],
  ['ext', 9],
  ['wlr', 0],
] as const)('%s: copies that fail for reason %i are tried again', async (protocol, reason) => {
  await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
  await using frames = await captureCompositor(compositor, SIZE);
  await frames.newest();
  await compositor.tell(`fail ${reason} 3`);
  await compositor.tell(`picture ${SIZE.width} ${SIZE.height} 2`);
  await expectPicture(frames, KnownPicture.noise(SIZE.width, SIZE.height, 2), 'after failures');
  await expectGoodClient(compositor);
});

test.each([
  ['ext', 0, /^the compositor failed to copy its picture, 20 times in a row$/],
  ['ext', 1, /^the compositor does not accept the buffer that it asked for, 20 times/],
  ['ext', 2, /^the compositor stopped the capture$/],
  ['ext', 9, /^the compositor failed to copy its picture: reason 9, 20 times/],
  ['wlr', 0, /^the compositor failed to copy its picture, 20 times/],
] as const)('%s: copies that go on failing for reason %i end the capture', async (protocol, reason, message) => {
  await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
  await using frames = await captureCompositor(compositor, SIZE);
  await frames.newest();
  await compositor.tell(`fail ${reason} 1000`);
  await compositor.tell('rect 0 0 1 1 0');
  expect(await frames.failed).toMatchObject(lost(message));
});

test.each([
  ['ext', 'stop', 'the compositor stopped the capture'],
  ['ext', 'unplug', 'the monitor TEST-1 is gone'],
  ['wlr', 'unplug', 'the monitor TEST-1 is gone'],
  ['ext', 'refuse', /ended the connection: error 1 of ext_image_copy_capture_session_v1/],
  ['ext', `formats ${AR15}`, 'the compositor offers no pixel format in shared memory that can be read, but AR15'],
  ['wlr', `formats ${AR15}`, 'the compositor offers no pixel format in shared memory that can be read, but AR15'],
] as const)('%s: "%s" ends the capture with a clear error', async (protocol, order, message) => {
  await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
  await using frames = await captureCompositor(compositor, SIZE);
  await frames.newest();
  await compositor.tell(order);
  // Screencopy offers formats with each copy.
  if (order.startsWith('formats')) await compositor.tell('rect 0 0 1 1 0').catch(() => undefined);
  expect(await frames.failed).toMatchObject(lost(message));
});

test.each(PROTOCOLS)('%s: a compositor that dies ends the capture, not the process', async (protocol) => {
  await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
  await using frames = await captureCompositor(compositor, SIZE);
  await frames.newest();
  compositor.process.signal('SIGKILL');
  expect(await frames.failed).toMatchObject(lost('the Wayland compositor is gone'));
});

test.each(PROTOCOLS)(
  '%s: a copy that never comes holds nothing up: the last picture repeats, and closing is prompt',
  async (protocol) => {
    await using compositor = await startTestCompositor(protocol, SIZE.width, SIZE.height);
    {
      await using frames = await captureCompositor(compositor, SIZE, { 'keep-alive': '20' });
      const picture = KnownPicture.noise(SIZE.width, SIZE.height, 1);
      await expectPicture(frames, picture, 'at the beginning');
      await compositor.tell('hold 1');
      await compositor.tell('rect 0 0 50 50 0');
      const { sequence } = await frames.newest();
      const truth = await picture.captured();
      const later = await frames.until((frame) => frame.sequence > sequence + 3);
      expect(later.sequence).toBeGreaterThan(sequence + 3);
      expect(later.data.equals(truth)).toBe(true);
      await compositor.tell('hold 0');
      picture.paint({ x: 0, y: 0, width: 50, height: 50 }, 0);
      await expectPicture(frames, picture, 'after the hold');
      await compositor.tell('hold 1');
      // Stopped outright: its socket fills, and nothing answers.
      compositor.process.signal('SIGSTOP');
    }
    compositor.process.signal('SIGCONT');
    const { sessions, buffers, frames } = await compositor.stats();
    expect({ sessions, buffers, frames }).toEqual({ sessions: 0, buffers: 0, frames: 0 });
  },
);

test('no picture at all ends the capture', async () => {
  await using compositor = await startTestCompositor('ext', SIZE.width, SIZE.height);
  await compositor.tell('hold 1');
  await using frames = await captureCompositor(compositor, SIZE);
  expect(await frames.failed).toMatchObject(lost('the compositor gives no picture'));
});
