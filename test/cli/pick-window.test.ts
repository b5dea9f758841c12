import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { clickWindow } from '../../src/producer/index.js';
import { buildCommands, runCap, startCap, streamUrl } from '../support/cap.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import { type RunningProcess, run, start } from '../support/process.js';
import { type PictureWindow, showPicture } from '../support/screen.js';
import { sizeAt } from '../support/stream-size.js';
import { startTestCompositor } from '../support/test-compositor.js';
import { startWindowManager } from '../support/window-manager.js';

const READY = /Click the window to capture; Escape or the right button cancels\.\n/;

let display: TestDisplay;
let picture: PictureWindow;

beforeAll(buildCommands);

beforeEach(async () => {
  display = await startDisplay({ widthPx: 640, heightPx: 480 });
});

afterEach(async () => {
  await picture?.close();
  await display.close();
});

const grey = (widthPx: number, heightPx: number) => {
  return { widthPx, heightPx, rgb: new Uint8Array(widthPx * heightPx * 3).fill(128) };
};

/** Sends what a mouse and a keyboard would, by XTEST. */
const xdotool = (...args: readonly string[]) => run('xdotool', args, { env: display.env });
const click = (x: number, y: number, button = 1) => xdotool('mousemove', `${x}`, `${y}`, 'click', `${button}`);

/** `cap --window` that has the mouse; its standard input is no terminal. */
async function startPick(): Promise<RunningProcess> {
  const cap = startCap(['--rtsp', '--rtsp-port', '0', '--window'], { env: display.env });
  await cap.waitForOutput(READY, 20_000, 2);
  return cap;
}

/** Whether another program can have the mouse. */
async function mouseIsFree(): Promise<boolean> {
  const signal = new AbortController();
  try {
    const ready = await new Promise<boolean>((resolve) => {
      clickWindow(display.name, {
        signal: signal.signal,
        onReady: () => resolve(true),
        onMissed: () => undefined,
      }).catch(() => resolve(false));
    });
    return ready;
  } finally {
    signal.abort();
  }
}

/** A window that a window manager may put a frame around. */
async function showTerminal(title: string): Promise<RunningProcess> {
  const args = ['-T', title, '-geometry', '30x8+0+0', '-e', 'sleep', 'infinity'];
  const terminal = start('xterm', args, { env: display.env });
  await xdotool('search', '--sync', '--onlyvisible', '--class', 'xterm');
  return terminal;
}

/** Where xwininfo sees the program's own window. */
async function placeOf(title: string): Promise<{ x: number; y: number; size: string }> {
  const { stdout } = await run('xwininfo', ['-name', title], { env: display.env });
  const number = (name: string) => Number(new RegExp(`${name}:\\s+(-?\\d+)`).exec(stdout)?.[1]);
  const size = `${number('Width')}x${number('Height')}`;
  return { x: number('Absolute upper-left X'), y: number('Absolute upper-left Y'), size };
}

describe('a click picks the window', () => {
  test('without a window manager; a click on the desktop picks nothing', async () => {
    picture = await showPicture(display, grey(200, 100));
    await using cap = await startPick();
    await click(500, 400);
    await cap.waitForOutput(/^That is no window\. Click one;/m, 20_000, 2);
    await click(100, 50);
    const url = await streamUrl(cap);
    expect(cap.stdout).toMatch(/^window "picture" \(0x[0-9a-f]+\) 200x100, /);
    expect(await sizeAt(url)).toBe('200x100');
    expect(await mouseIsFree()).toBe(true);
  });

  test.each([
    ['its inside', 50, 50],
    ["the window manager's frame around it", 20, -8],
  ])('under a window manager, by %s', async (_, right, down) => {
    await using _manager = await startWindowManager(display);
    await using _window = await showTerminal('framed');
    const { x, y, size } = await placeOf('framed');
    expect(y).toBeGreaterThan(8); // there is a frame
    await using cap = await startPick();
    await click(x + right, y + down);
    await streamUrl(cap);
    expect(cap.stdout).toMatch(new RegExp(`^window "framed" \\(0x[0-9a-f]+\\) ${size}, `));
  });

  test('a window without a title, too', async () => {
    await using _window = await showTerminal('');
    await using cap = await startPick();
    await click(20, 20);
    await streamUrl(cap);
    expect(cap.stdout).toMatch(/^window "" \(0x[0-9a-f]+\) \d+x\d+, /);
  });

  test('one that vanishes before it is captured is an error', async () => {
    picture = await showPicture(display, grey(200, 100));
    await using cap = await startPick();
    await xdotool('mousemove', '100', '50', 'mousedown', '1');
    await picture.close();
    await xdotool('mouseup', '1');
    expect(await cap.waitForExit()).toMatchObject({ code: 5 });
    expect(cap.stderr).toMatch(/^cap: no window matches "0x[0-9a-f]+"/m);
    expect(await mouseIsFree()).toBe(true);
  });
});

describe('cancelled', () => {
  test.each([
    ['by Escape', () => xdotool('key', 'Escape')],
    ['by the right button', () => click(100, 50, 3)],
  ])('%s: it ends well, with a line', async (_, cancel) => {
    picture = await showPicture(display, grey(200, 100));
    await using cap = await startPick();
    await cancel();
    expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
    expect(cap.stderr).toMatch(/\nNo window was picked\.\n$/);
    expect(await mouseIsFree()).toBe(true);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('by %s: the mouse is let go of', async (signal) => {
    await using cap = await startPick();
    expect(await mouseIsFree()).toBe(false);
    cap.signal(signal);
    expect(await cap.waitForExit()).toEqual(signal === 'SIGINT' ? { code: 0, signal: null } : { code: null, signal });
    expect(await mouseIsFree()).toBe(true);
  });

  test('by the end of the X server: an error', async () => {
    await using cap = await startPick();
    display.server.signal('SIGKILL');
    expect(await cap.waitForExit()).toMatchObject({ code: 4 });
    expect(cap.stderr).toMatch(/^cap: the X server :\d+ is gone$/m);
  });
});

test('another program that holds the mouse is an error, after a moment of patience', async () => {
  await using _other = await startPick();
  const { code, stderr } = await runCap(['--rtsp', '--window'], { env: display.env });
  expect(code).toBe(4);
  expect(stderr).toMatch(/^cap: the mouse cannot be asked: another program holds it \(/);
});

describe('in a terminal', () => {
  const terminal = () =>
    // A terminal of its own, as `script` makes one.
    start('script', ['-qec', `${process.execPath} bin/cap.mjs --rtsp --rtsp-port 0 --window`, '/dev/null'], {
      env: display.env,
      keepStdinOpen: true,
    });
  const ASKED = /1 {2}picture .*200x100 0x[0-9a-f]+\r?\nWhich window\? 1 to 1, or click it; Escape or .* cancels: /;

  test('a number does it', async () => {
    picture = await showPicture(display, grey(200, 100));
    await using cap = terminal();
    await cap.waitForOutput(ASKED);
    cap.stdin.write('7\n');
    await cap.waitForOutput(/Which window\? [\s\S]*Which window\? /);
    cap.stdin.write('1\n');
    const [, url = ''] = await cap.waitForOutput(/(rtsp:\S+)\r?\n/);
    expect(await sizeAt(url)).toBe('200x100');
    expect(await mouseIsFree()).toBe(true);
  });

  test('a click does it, too', async () => {
    picture = await showPicture(display, grey(200, 100));
    await using cap = terminal();
    await cap.waitForOutput(ASKED);
    // The list may be there a moment before the mouse is held; a click before that is nobody's.
    await expect.poll(mouseIsFree).toBe(false);
    await click(100, 50);
    const [, url = ''] = await cap.waitForOutput(/(rtsp:\S+)\r?\n/);
    expect(await sizeAt(url)).toBe('200x100');
  });
});

test('on Wayland the list is the only way: without a terminal it is an error that names the windows', async () => {
  await using compositor = await startTestCompositor('ext', 200, 100);
  const { code, stderr } = await runCap(['--rtsp', '--display', compositor.display, '--window']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^cap: --window needs an id, title or class .*\(windows: window-1 "A window of a test"\)\n$/);
  expect(await runCap(['--rtsp', '--source', 'test', '--window'])).toMatchObject({ code: 2 });
});
