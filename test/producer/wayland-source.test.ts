import { expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { CapError } from '../../src/core/index.js';
import { chooseDisplayServer, screenSource } from '../../src/producer/index.js';
import { serveCapture } from '../support/capture.js';
import { startTestCompositor } from '../support/test-compositor.js';

const source = (display: string) => ({ displayServer: 'wayland', display }) as const;

test.each([
  [{}, { DISPLAY: ':0' }, 'x11'],
  [{}, {}, 'x11'],
  [{}, { WAYLAND_DISPLAY: 'wayland-1' }, 'wayland'],
  [{}, { WAYLAND_DISPLAY: 'wayland-1', DISPLAY: ':0' }, 'x11'],
  [{}, { WAYLAND_DISPLAY: 'wayland-1', DISPLAY: ':0', XDG_SESSION_TYPE: 'wayland' }, 'wayland'],
  [{ display: ':1' }, { WAYLAND_DISPLAY: 'wayland-1' }, 'x11'],
  [{ display: 'wayland-2' }, { DISPLAY: ':0' }, 'wayland'],
  [{ display: '/run/user/1000/wayland-1' }, { DISPLAY: ':0' }, 'wayland'],
  [{ display: 'neither' }, { WAYLAND_DISPLAY: 'wayland-1' }, 'x11'],
  [{ displayServer: 'x11' as const }, { WAYLAND_DISPLAY: 'wayland-1' }, 'x11'],
  [{ displayServer: 'wayland' as const }, { DISPLAY: ':0' }, 'wayland'],
])('%j in a session of %j is on %s', (options, environment, expected) => {
  expect(chooseDisplayServer(options, environment)).toBe(expected);
});

test('what changed is in the metadata, alone', async () => {
  await using compositor = await startTestCompositor('ext', 400, 300);
  await using capture = await serveCapture({
    source: { kind: 'screen', ...source(compositor.display), keepAliveMs: 60_000 },
  });
  const sampler = new Sampler(capture.url);
  try {
    let { sequence } = await sampler.next();
    await compositor.tell('rect 48 32 20 10 ffffff');
    for (let frames = 0; ; frames++) {
      const frame = await sampler.next({ afterSequence: sequence });
      sequence = frame.sequence;
      if (frame.metadata?.damage?.length === 0 && frames < 50) continue;
      expect(frame.metadata?.damage).toEqual([{ x: 48, y: 32, width: 20, height: 10 }]);
      break;
    }
  } finally {
    await sampler.close();
  }
});

test('a window is captured by its title or id, until it closes', async () => {
  await using compositor = await startTestCompositor('ext', 200, 100);
  for (const window of ['window-1', 'a window of']) {
    const found = screenSource({ ...source(compositor.display), window });
    expect(found.label).toBe('window "A window of a test" (window-1) 200x100');
  }
  expect(() => screenSource({ ...source(compositor.display), window: 'other' })).toThrow(
    expect.objectContaining({
      code: 'CAP_SOURCE_NOT_FOUND',
      hint: 'windows: window-1 "A window of a test"',
    }),
  );
  await using capture = await serveCapture({
    source: { kind: 'screen', ...source(compositor.display), window: 'window-1' },
  });
  const failed = new Promise<CapError>((resolve) => {
    capture.session.on('failed', resolve);
  });
  await compositor.tell('close-window');
  expect(await failed).toMatchObject({
    code: 'CAP_SOURCE_LOST',
    message: expect.stringMatching(/^window .*: the window was closed$/),
  });
});

test('what cannot be captured is refused with a hint', async () => {
  await using nothing = await startTestCompositor('none', 200, 100);
  expect(() => screenSource(source(nothing.display))).toThrow(
    expect.objectContaining({
      code: 'CAP_DISPLAY_UNAVAILABLE',
      hint: expect.stringContaining('wlr-screencopy-unstable-v1'),
    }),
  );
  await using screens = await startTestCompositor('wlr', 200, 100);
  const refused = { code: 'CAP_SOURCE_NOT_FOUND' };
  const attempt = (options: object) => () => screenSource({ ...source(screens.display), ...options });
  expect(attempt({ window: 'any' })).toThrow(expect.objectContaining(refused));
  expect(attempt({ monitor: '2' })).toThrow(
    expect.objectContaining({ ...refused, hint: 'monitors: 1 (TEST-1, 200x100)' }),
  );
  expect(attempt({ region: { x: 150, y: 0, width: 51, height: 10 } })).toThrow(expect.objectContaining(refused));
  expect(attempt({ monitor: '1' })().label).toBe('monitor TEST-1 200x100');
});

test('a display that is not there, or does not answer, is an error soon', async () => {
  expect(() => screenSource(source('/nowhere/wayland-9'))).toThrow(
    expect.objectContaining({
      code: 'CAP_DISPLAY_UNAVAILABLE',
      message: expect.stringContaining('No such file or directory'),
    }),
  );
  await using compositor = await startTestCompositor('ext', 200, 100);
  compositor.process.signal('SIGSTOP');
  try {
    expect(() => screenSource(source(compositor.display))).toThrow(
      expect.objectContaining({
        code: 'CAP_DISPLAY_UNAVAILABLE',
        message: expect.stringMatching(/does not answer$/),
      }),
    );
  } finally {
    compositor.process.signal('SIGCONT');
  }
});
