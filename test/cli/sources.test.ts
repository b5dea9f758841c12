import type { Socket } from 'node:net';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import { probe } from '../support/media-clients.js';
import { freePort, occupyPort } from '../support/port.js';
import { run, start } from '../support/process.js';
import { showPicture } from '../support/screen.js';

beforeAll(buildCommands);

const grey = (widthPx: number, heightPx: number) => {
  return { widthPx, heightPx, rgb: new Uint8Array(widthPx * heightPx * 3).fill(128) };
};

/** The size of a stream's picture. A still screen has too few frames for ffprobe to make up its mind soon. */
async function sizeAt(url: string): Promise<string> {
  const sampler = new Sampler(url);
  try {
    const { width, height } = await sampler.next();
    return `${width}x${height}`;
  } finally {
    await sampler.close();
  }
}

/** Makes two monitors of a display: 640 and 320 pixels wide. */
async function splitInTwo({ env }: TestDisplay): Promise<void> {
  await run('xrandr', ['--setmonitor', 'LEFT', '640/173x480/130+0+0', 'screen'], { env });
  await run('xrandr', ['--setmonitor', 'RIGHT', '320/87x480/130+640+0', 'none'], { env });
}

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

describe('cap --monitor all', () => {
  test('serves each monitor at a mount of its own', async () => {
    await using display = await startDisplay({ widthPx: 960, heightPx: 480 });
    await splitInTwo(display);
    await using cap = startCap(['--rtsp', '--rtsp-port', '0', '--monitor', 'all'], { env: display.env });
    const [, base] = await cap.waitForOutput(/^(rtsp:\S+\/cap)\/2$/m);
    expect(cap.stdout).toMatch(new RegExp(`^${base}/1$`, 'm'));
    expect(await sizeAt(`${base}/1`)).toBe('640x480');
    expect(await sizeAt(`${base}/2`)).toBe('320x480');
    cap.signal('SIGINT');
    expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
  });

  test('ends with the display, with an error', async () => {
    await using display = await startDisplay({ widthPx: 960, heightPx: 480 });
    await splitInTwo(display);
    await using cap = startCap(['--rtsp', '--rtsp-port', '0', '--monitor', 'all'], { env: display.env });
    await cap.waitForOutput(/^rtsp:\S+\/cap\/2$/m);
    await display.close();
    expect(await cap.waitForExit()).toMatchObject({ code: 6 });
    expect(cap.stderr).toMatch(/\/cap\/1: /);
    expect(cap.stderr).toMatch(/\/cap\/2: /);
  });

  test.each([
    [['--rtsp', '--monitor', 'all', '--source', 'test'], '--source cannot be used with --monitor all'],
    [['--rtsp', '--monitor', 'all', '--region', '10x10+0+0'], '--region cannot be used'],
    [['--monitor', 'all', 'out.mp4'], 'an output file cannot be used'],
    [['--rtsp', '--monitor', 'all', '--metrics-port', '0'], '--metrics-port cannot be used'],
  ])('cap %j is refused', async (args, words) => {
    const { code, stderr } = await runCap(args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});

describe('cap --window without a value', () => {
  test('lets the user pick from a list in a terminal', async () => {
    await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
    await using _window = await showPicture(display, grey(200, 100));
    const command = `${process.execPath} bin/cap.mjs --rtsp --rtsp-port 0 --window`;
    // A terminal of its own, as `script` makes one.
    await using terminal = start('script', ['-qec', command, '/dev/null'], { env: display.env, keepStdinOpen: true });
    await terminal.waitForOutput(/1 {2}picture .*200x100 0x[0-9a-f]+\r?\nWhich window\? 1 to 1: /);
    terminal.stdin.write('7\n');
    await terminal.waitForOutput(/Which window\? [\s\S]*Which window\? /);
    terminal.stdin.write('1\n');
    const [, url = ''] = await terminal.waitForOutput(/(rtsp:\S+)\r?\n/);
    expect(await sizeAt(url)).toBe('200x100');
  });

  test('is an error that names the windows where there is no terminal', async () => {
    await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
    await using _window = await showPicture(display, grey(200, 100));
    const { code, stderr } = await runCap(['--rtsp', '--window'], { env: display.env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cap: --window needs an id, title or class .*\(windows: 0x[0-9a-f]+ "picture"\)\n$/);
    expect(await runCap(['--rtsp', '--source', 'test', '--window'])).toMatchObject({ code: 2 });
  });
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
