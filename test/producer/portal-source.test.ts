import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createStreamLogger } from '../../src/core/index.js';
import { openSource, screenServer } from '../../src/producer/index.js';
import { KnownPicture } from '../support/known-picture.js';
import { captureShared } from '../support/shared-capture.js';
import { startTestCompositor } from '../support/test-compositor.js';
import { startTestDesktop } from '../support/test-desktop.js';
import { expectPicture } from '../support/wayland-capture.js';

const picture = (): KnownPicture => KnownPicture.noise(320, 180, 1);
const lost = (message: string | RegExp) => ({ code: 'CAP_SOURCE_LOST', message: expect.stringMatching(message) });

test('the user is asked once: the next session is given a token, kept where only the user can read it', async () => {
  await using desktop = await startTestDesktop();
  let log = '';
  const logger = createStreamLogger({ level: 'debug', stream: { write: (text) => (log += text) } });
  const tokens: string[] = [];
  for (const restored of [0, 1, 1]) {
    await using frames = await captureShared(desktop, {}, { logger });
    await desktop.asked(`sources types=3 cursor=1 persist=2 restored=${restored}`, tokens.length === 2 ? 1 : 0);
    await expectPicture(frames, picture(), `restored=${restored}`);
    expect(readdirSync(desktop.stateFolder)).toEqual(['portal-any.token']);
    const file = join(desktop.stateFolder, 'portal-any.token');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(desktop.stateFolder).mode & 0o777).toBe(0o700);
    tokens.push(readFileSync(file, 'utf8'));
  }
  expect(tokens.every((token) => token.length > 8)).toBe(true);
  for (const token of tokens) expect(log).not.toContain(token);
});

test('what is asked for is what the dialog offers, with the cursor or without', async () => {
  await using desktop = await startTestDesktop({ backend: ['types=5'] });
  for (const [options, asked] of [
    [{ cursor: true }, 'types=1 cursor=2'],
    [{ cursor: false, share: 'monitor' }, 'types=1 cursor=1'],
    [{ cursor: true, share: 'virtual' }, 'types=4 cursor=2'],
  ] as const) {
    await using frames = await captureShared(desktop, options);
    await desktop.asked(`sources ${asked} persist=2 restored=0`);
    expect(frames.label).toBe('shared monitor 320x180');
  }
  await expect(captureShared(desktop, { share: 'window' })).rejects.toMatchObject({
    code: 'CAP_SOURCE_NOT_FOUND',
    message: 'the desktop portal does not share a window',
    hint: 'it shares: --share monitor, --share virtual',
  });
});

test('a portal that cannot draw the cursor is used without it, after a warning', async () => {
  await using desktop = await startTestDesktop({ backend: ['cursor=1'] });
  let log = '';
  const logger = createStreamLogger({ stream: { write: (text) => (log += text) } });
  await using frames = await captureShared(desktop, { cursor: true }, { logger });
  await expectPicture(frames, picture(), 'without the cursor');
  expect(log).toContain('the desktop portal cannot draw the mouse cursor');
});

test('a refusal is one clear error', async () => {
  await using desktop = await startTestDesktop();
  await desktop.tell('answer cancel');
  await expect(captureShared(desktop)).rejects.toMatchObject({
    code: 'CAP_SHARING_REFUSED',
    message: 'the sharing of the screen was refused',
    hint: expect.stringContaining('allow it'),
  });
});

test('a dialog that nobody answers is announced, and taken back when it is not wanted any more', async () => {
  await using desktop = await startTestDesktop();
  await desktop.tell('answer wait');
  let capture: Promise<unknown> = Promise.resolve();
  const stop = new AbortController();
  const announced = new Promise<string>((write) => {
    const logger = createStreamLogger({ stream: { write } });
    capture = captureShared(desktop, {}, { logger, signal: stop.signal });
  });
  await desktop.asked('start');
  expect(await announced).toContain('the desktop asks what to share');
  stop.abort();
  await expect(capture).rejects.toMatchObject({ code: 'CAP_CLOSED' });
  await desktop.asked('close-request');
});

test('an answer that comes late starts the capture', async () => {
  await using desktop = await startTestDesktop();
  await desktop.tell('answer wait');
  const capture = captureShared(desktop);
  await desktop.asked('start');
  await desktop.tell('answer accept');
  await using frames = await capture;
  await expectPicture(frames, picture(), 'after the answer');
});

test('closing ends the session', async () => {
  await using desktop = await startTestDesktop();
  {
    await using frames = await captureShared(desktop);
    await expectPicture(frames, picture(), 'at the beginning');
  }
  await desktop.asked('close-session');
});

test('the end of the session, of what is shared or of anything on the way ends the capture', async () => {
  // What dies takes others along: whichever is noticed first.
  const gone = 'what was captured is gone|the desktop portal is gone|the desktop ended the sharing of its screen';
  for (const [end, message] of [
    ['close-session', 'the desktop ended the sharing of its screen'],
    ['hide', 'what was captured is gone'],
    ['backend', gone],
    ['portal', gone],
    ['bus', `the D-Bus session is gone|${gone}`],
    ['pipewire', 'PipeWire is gone'],
  ] as const) {
    await using desktop = await startTestDesktop();
    await using frames = await captureShared(desktop);
    await expectPicture(frames, picture(), end);
    if (end === 'close-session' || end === 'hide') await desktop.tell(end);
    else desktop[end]?.signal('SIGKILL');
    expect(await frames.failed, end).toMatchObject(lost(new RegExp(`(${message})$`)));
  }
});

test('PipeWire that stops answering is noticed on a still screen', async () => {
  await using desktop = await startTestDesktop();
  await using frames = await captureShared(desktop, { keepAliveMs: 3_600_000 });
  await expectPicture(frames, picture(), 'at the beginning');
  desktop.pipewire.signal('SIGSTOP');
  try {
    expect(await frames.failed).toMatchObject(lost(/PipeWire does not answer$/));
  } finally {
    desktop.pipewire.signal('SIGCONT');
  }
});

test('without a portal, or a bus, there is an error that says so', async () => {
  await using desktop = await startTestDesktop({ portal: false });
  await expect(captureShared(desktop)).rejects.toMatchObject({
    code: 'CAP_DISPLAY_UNAVAILABLE',
    message: 'there is no desktop portal',
    hint: expect.stringContaining('xdg-desktop-portal'),
  });
  desktop.bus.signal('SIGKILL');
  await desktop.bus.waitForExit();
  await expect(captureShared(desktop)).rejects.toMatchObject({
    code: 'CAP_DISPLAY_UNAVAILABLE',
    message: expect.stringMatching(/^the D-Bus session cannot be reached: /),
  });
});

test('a desktop of which nothing can be read is an error', async () => {
  const yuyv = Buffer.from('YUYV').readUInt32LE();
  await using desktop = await startTestDesktop({ backend: [`format=${yuyv}`] });
  await expect(captureShared(desktop)).rejects.toMatchObject({
    code: 'CAP_DISPLAY_UNAVAILABLE',
    message: expect.stringMatching(/^PipeWire shows nothing that can be read/),
  });
});

test('what only the dialog can choose is refused', async () => {
  const open = (options: object) =>
    openSource({ kind: 'screen', displayServer: 'portal', ...options }, { fps: 30, asItIs: false });
  await expect(open({ monitor: '1' })).rejects.toMatchObject({
    code: 'CAP_USAGE',
    message: expect.stringMatching(/^monitor cannot/),
  });
  await expect(open({ window: 'Terminal' })).rejects.toMatchObject({
    code: 'CAP_USAGE',
    hint: expect.stringContaining('--share'),
  });
  await expect(open({ share: 'film' })).rejects.toMatchObject({ code: 'CAP_USAGE' });
  await expect(open({ displayServer: 'x11', share: 'window' })).rejects.toMatchObject({ code: 'CAP_USAGE' });
});

test('the portal is asked where the compositor lets nobody capture its screen', async () => {
  const before = process.env.WAYLAND_DISPLAY;
  try {
    for (const [protocol, server] of [
      ['none', 'portal'],
      ['wlr', 'wayland'],
    ] as const) {
      await using compositor = await startTestCompositor(protocol, 64, 64);
      process.env.WAYLAND_DISPLAY = compositor.display;
      expect(screenServer({ displayServer: 'wayland' })).toBe(server);
      // What is named is not passed over.
      expect(screenServer({ display: compositor.display })).toBe('wayland');
      expect(screenServer({ displayServer: 'wayland', monitor: '1' })).toBe('wayland');
    }
    expect(screenServer({ displayServer: 'x11' })).toBe('x11');
    expect(screenServer({ share: 'window' })).toBe('portal');
  } finally {
    if (before === undefined) delete process.env.WAYLAND_DISPLAY;
    else process.env.WAYLAND_DISPLAY = before;
  }
});
