import type { Socket } from 'node:net';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { startDisplay } from '../support/display.js';
import { probe } from '../support/media-clients.js';
import { splitInTwo } from '../support/monitors.js';
import { freePort, occupyPort } from '../support/port.js';
import { showPicture } from '../support/screen.js';
import { sizeAt } from '../support/stream-size.js';
import { startSway } from '../support/sway.js';
import { startTestCompositor } from '../support/test-compositor.js';

beforeAll(buildCommands);

const grey = (widthPx: number, heightPx: number) => {
  return { widthPx, heightPx, rgb: new Uint8Array(widthPx * heightPx * 3).fill(128) };
};

describe('cap sources', () => {
  test('lists monitors and windows with the argument that captures each, which then does', async () => {
    await using display = await startDisplay({ widthPx: 960, heightPx: 480 });
    await splitInTwo(display);
    await using _window = await showPicture(display, grey(200, 100));
    const { env } = display;
    const { code, stdout, stderr } = await runCap(['sources', '--json'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const list = JSON.parse(stdout);
    expect(list.monitors).toEqual([
      { number: 1, name: 'LEFT', primary: false, x: 0, y: 0, width: 640, height: 480, argument: '--monitor 1' },
      { number: 2, name: 'RIGHT', primary: false, x: 640, y: 0, width: 320, height: 480, argument: '--monitor 2' },
    ]);
    expect(list.windows).toHaveLength(1);
    const [window] = list.windows;
    expect(window).toMatchObject({ title: 'picture', width: 200, height: 100, argument: `--window ${window.id}` });
    expect(Object.keys(list)).toEqual(['monitors', 'windows', 'cameras', 'audio']);

    const table = (await runCap(['sources'], { env })).stdout;
    expect(table).toMatch(/^KIND +NAME +WHERE +ARGUMENT\nmonitor +LEFT +640x480\+0\+0 +--monitor 1\n/);
    expect(table).toContain(`--window ${window.id}\n`);

    for (const [item, size] of [
      [list.monitors[1], '320x480'],
      [window, '200x100'],
    ]) {
      const served = ['--rtsp', '--rtsp-port', '0', ...item.argument.split(' ')];
      await using cap = startCap(served, { env });
      const [url] = await cap.waitForOutput(/^rtsp:\S+$/m);
      expect(await sizeAt(url)).toBe(size);
    }
  });

  test('without a display it lists the rest and says so; with one that is not there it fails', async () => {
    const { code, stdout, stderr } = await runCap(['sources', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ monitors: [], windows: [] });
    expect(stderr).toMatch(/^no monitors or windows: there is no display/);
    expect(await runCap(['sources', '--display', ':987'])).toMatchObject({ code: 4, stdout: '' });
  });
});

describe('cap sources on Wayland', () => {
  test('lists monitors and windows in the same words, which then capture them', async () => {
    await using compositor = await startTestCompositor('ext', 400, 300);
    const at = ['--display', compositor.display];
    const { code, stdout } = await runCap(['sources', '--json', ...at]);
    expect(code).toBe(0);
    const place = { x: 0, y: 0, width: 400, height: 300 };
    const { monitors, windows } = JSON.parse(stdout);
    expect(monitors).toEqual([{ number: 1, name: 'TEST-1', primary: false, ...place, argument: '--monitor 1' }]);
    expect(windows).toEqual([
      {
        id: 'window-1',
        title: 'A window of a test',
        class: 'org.example.test',
        width: 400,
        height: 300,
        argument: '--window window-1',
      },
    ]);
    const table = (await runCap(['sources'], { env: { WAYLAND_DISPLAY: compositor.display } })).stdout;
    expect(table).toMatch(/^monitor +TEST-1 +400x300\+0\+0 +--monitor 1$/m);
    expect(table).toMatch(/^window +A window of a test \(org\.example\.test\) +400x300 +--window window-1$/m);
    for (const argument of ['--monitor 1', '--monitor TEST-1', '--window window-1']) {
      await using cap = startCap(['--rtsp', '--rtsp-port', '0', ...at, ...argument.split(' ')]);
      const [url] = await cap.waitForOutput(/^rtsp:\S+$/m);
      expect(await sizeAt(url)).toBe('400x300');
    }
  });

  test('of sway: its monitors where they are, and no windows, which it lets nobody capture', async () => {
    await using sway = await startSway(2, 400, 300);
    await sway.command('output HEADLESS-1 position 0 0');
    await sway.command('output HEADLESS-2 position 500 0');
    const { stdout } = await runCap(['sources', '--json', '--display', sway.display]);
    const { monitors, windows } = JSON.parse(stdout) as { monitors: { name: string; x: number }[]; windows: [] };
    expect(monitors.map(({ name, x }) => `${name} ${x}`).sort()).toEqual(['HEADLESS-1 0', 'HEADLESS-2 500']);
    expect(windows).toEqual([]);
  });

  test('of a compositor that lets nothing be captured: says so', async () => {
    await using compositor = await startTestCompositor('none', 400, 300);
    const { code, stderr } = await runCap(['sources', '--display', compositor.display]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^cap: the compositor does not let its screen be captured \(supported are /);
  });
});

test('cap sources waits only so long for a sound server that does not answer', async () => {
  const { port, server } = await occupyPort();
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  try {
    const result = await runCap(['sources', '--json'], { env: { PULSE_SERVER: `tcp:127.0.0.1:${port}` } });
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ monitors: [] });
    expect(sockets).not.toHaveLength(0);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

describe('cap --source URL', () => {
  test('an RTSP stream is passed on as it comes, and scaled when that is asked', async () => {
    const small = ['--source', 'test', '--size', '320x240'];
    await using camera = startCap(['--rtsp', '--rtsp-port', '0', ...small]);
    const [url] = await camera.waitForOutput(/^rtsp:\S+$/m);
    const source = url.replace('rtsp://', 'rtsp://me:geheim77@');
    await using relay = startCap(['--rtsp', '--rtsp-port', '0', '--source', source]);
    const [relayed] = await relay.waitForOutput(/^rtsp:\S+$/m);
    expect(relay.stdout).toBe(`${url}, source 320x240 as it comes\n${relayed}\n`);
    expect(await probe(relayed)).toMatchObject({ widthPx: 320, heightPx: 240 });
    await using scaled = startCap(['--rtsp', '--rtsp-port', '0', '--source', source, '--scale-preset', 'p4']);
    const [half] = await scaled.waitForOutput(/^rtsp:\S+$/m);
    expect(await probe(half)).toMatchObject({ widthPx: 160, heightPx: 120 });
    expect(relay.stderr + scaled.stdout + scaled.stderr).not.toContain('geheim');
  });

  test.each([
    ['v4l2:///dev/video987', 5, /there is no camera at \/dev\/video987 \(cameras: /],
    ['file:///nowhere/film.mp4', 5, /cannot play \/nowhere\/film\.mp4: there is no such file/],
    ['test://snow', 2, /expected an address such as test:\/\/clock\|text\|noise/],
    ['sreen', 2, /expected screen, test or a URL for the source, received "sreen"/],
  ])('%s ends in one line', async (source, code, words) => {
    const result = await runCap(['--rtsp', '--rtsp-port', '0', '--source', source]);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(words);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('cap doctor', () => {
  const doctor = async (args: readonly string[], env: Record<string, string> = {}) =>
    runCap(['doctor', '--rtsp-port', String(await freePort()), ...args], { env });

  test('finds a machine with a display well', async () => {
    await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
    const { code, stdout, stderr } = await doctor([], display.env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^✓ display: X11 :\d+, monitor 640x480$/m);
    expect(stdout).toMatch(/^✓ capture by damage: /m);
    expect(stdout).toMatch(/^✓ encoder: x264/m);
    expect(stdout).toMatch(/^✓ local reader: /m);
    expect(stdout).toMatch(/\ncap can stream this screen\n$/);
  });

  test('finds a Wayland session well, and one that lets nothing be captured wanting', async () => {
    await using compositor = await startTestCompositor('wlr', 400, 300);
    const well = await doctor([], { WAYLAND_DISPLAY: compositor.display });
    expect(well.code).toBe(0);
    expect(well.stdout).toContain(`✓ display: Wayland ${compositor.display}, monitor 400x300\n`);
    expect(well.stdout).toMatch(/^✓ capture by damage: /m);
    await using closed = await startTestCompositor('none', 400, 300);
    const { code, stdout } = await doctor(['--display', closed.display]);
    expect(code).toBe(0); // a test picture can be streamed
    expect(stdout).toMatch(/^✗ display: the compositor does not let its screen be captured \(supported are /m);
  });

  test('says that a machine without a display can stream the test source', async () => {
    const { code, stdout } = await doctor([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✗ display: there is no display/m);
    expect(stdout).toMatch(/\nthere is no screen to stream, but --source test works\n$/);
  });

  test('fails when the port is taken, and says what to do', async () => {
    const { port, server } = await occupyPort();
    try {
      const { code, stdout, stderr } = await runCap(['doctor', '--rtsp-port', String(port)]);
      expect(code).toBe(7);
      expect(stdout).toMatch(new RegExp(`^✗ RTSP port ${port}: .*\\(.*--rtsp-port`, 'm'));
      expect(stderr).toMatch(new RegExp(`^cap: cap cannot stream: display, RTSP port ${port} \\(`));
    } finally {
      server.close();
    }
  });

  test('--json has the same, and no key in it', async () => {
    const { code, stdout } = await doctor(['--json'], { OPENAI_API_KEY: 'sk-geheim7777777777' });
    expect(code).toBe(0);
    const { ok, verdict, findings } = JSON.parse(stdout);
    expect({ ok, verdict }).toEqual({ ok: true, verdict: 'there is no screen to stream, but --source test works' });
    const openai = findings.find(({ name }: { name: string }) => name === 'key for openai');
    expect(openai).toEqual({ name: 'key for openai', needed: false, ok: true, found: 'OPENAI_API_KEY is set' });
    expect(stdout).not.toContain('geheim');
  });
});

test('an encoder that does not work gives way to x264, with one warning', async () => {
  const served = ['--rtsp', '--rtsp-port', '0', '--source', 'test', '--size', '320x240', '--encoder', 'nvenc'];
  await using cap = startCap(served);
  const [url] = await cap.waitForOutput(/^rtsp:\S+$/m);
  expect(await probe(url)).toMatchObject({ codec: 'h264' });
  await vi.waitFor(() =>
    expect(cap.stderr).toMatch(/^warn: the encoder nvenc does not work here: .*; x264 is used instead\n$/),
  );
  expect(await runCap([...served, '--no-hwencode'])).toMatchObject({ code: 2 });
});
