import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import { probe } from '../support/media-clients.js';
import { plug, splitInTwo, unplug } from '../support/monitors.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { sizeAt } from '../support/stream-size.js';
import { startSway } from '../support/sway.js';
import { startTestCompositor } from '../support/test-compositor.js';

const SERVED = ['--rtsp', '--rtsp-port', '0', '--monitor', 'all'];

let folder: string;
let display: TestDisplay;

beforeAll(buildCommands);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-monitors-'));
  display = await startDisplay({ widthPx: 960, heightPx: 480 });
  await splitInTwo(display);
});

afterEach(async () => {
  await display.close();
  rmSync(folder, { recursive: true, force: true });
});

async function sizeOf(file: string): Promise<string> {
  const { widthPx, heightPx } = await probe(join(folder, file));
  return `${widthPx}x${heightPx}`;
}

describe('cap --monitor all', () => {
  test('serves each over HTTP, too, and lets one that is unplugged go', async () => {
    const args = ['--http', '--http-port', '0', '--monitor', 'all', '--metrics-port', '0'];
    await using cap = startCap(args, { env: display.env });
    const [url] = await cap.waitForOutput(/^http:\S+$/m);
    const list = async () => (await (await fetch(`${url}/api/streams`)).json()) as { path: string; width: number }[];
    expect(await list()).toMatchObject([
      { path: '/cap/1', width: 640 },
      { path: '/cap/2', width: 320 },
    ]);
    expect((await fetch(`${url}/snapshot/cap/2.jpg`)).headers.get('cap-size')).toBe('320x480');
    const [, metrics = ''] = await cap.waitForOutput(/^metrics at (\S+)$/m);
    expect(await (await fetch(metrics)).text()).toContain('cap_http_readers{monitor="RIGHT",door="webrtc"} 0\n');
    await unplug(display, 'RIGHT');
    await expect.poll(async () => (await list()).map(({ path }) => path), { timeout: 20_000 }).toEqual(['/cap/1']);
  });

  test('serves, records and measures each monitor for itself', async () => {
    const output = join(folder, 'out.mp4');
    const args = [...SERVED, '--record', output, '--metrics-port', '0'];
    await using cap = startCap(args, { env: display.env });
    const [, metrics = ''] = await cap.waitForOutput(/^metrics at (\S+)$/m);
    const [, base] = await cap.waitForOutput(/^(rtsp:\S+\/cap)\/2$/m);
    expect(cap.stdout).toMatch(new RegExp(`^${base}/1$`, 'm'));
    expect(await sizeAt(`${base}/1`)).toBe('640x480');
    await using reader = await RtspPlayer.overTcp(`${base}/2`);
    await reader.waitForUnits(1);
    const text = await (await fetch(metrics)).text();
    for (const monitor of ['LEFT', 'RIGHT']) {
      expect(text).toMatch(new RegExp(`^cap_frames_captured_total\\{monitor="${monitor}"\\} [1-9]`, 'm'));
      expect(text).toMatch(new RegExp(`^cap_encoded_bytes_total\\{monitor="${monitor}"\\} [1-9]`, 'm'));
    }
    expect(text).toContain('cap_rtsp_readers{monitor="LEFT",protocol="tcp"} 0\n');
    expect(text).toContain('cap_rtsp_readers{monitor="RIGHT",protocol="tcp"} 1\n');
    cap.signal('SIGINT');
    expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
    for (const [number, size] of [
      [1, '640x480'],
      [2, '320x480'],
    ]) {
      expect(cap.stderr).toMatch(new RegExp(`^recorded \\d+ frames, .* into ${folder}/out-${number}\\.mp4$`, 'm'));
      expect(await sizeOf(`out-${number}.mp4`)).toBe(size);
    }
  });

  test('records alone, too', async () => {
    const { code, stdout } = await runCap(['--monitor', 'all', '-d', '500ms', join(folder, 'a.mp4')], {
      env: display.env,
    });
    expect(code).toBe(0);
    expect(stdout).not.toContain('rtsp:');
    expect([await sizeOf('a-1.mp4'), await sizeOf('a-2.mp4')]).toEqual(['640x480', '320x480']);
    expect(existsSync(join(folder, 'a.mp4'))).toBe(false);
  });

  test('a file that cannot be written is an error at once', async () => {
    const output = join(folder, 'none', 'a.mp4');
    expect(await runCap(['--monitor', 'all', output], { env: display.env })).toMatchObject({ code: 9 });
    expect(await runCap([...SERVED, '--record', output], { env: display.env })).toMatchObject({ code: 9 });
  });

  test('ends with the display, with an error', async () => {
    await using cap = startCap(SERVED, { env: display.env });
    await cap.waitForOutput(/^rtsp:\S+\/cap\/2$/m);
    await display.close();
    expect(await cap.waitForExit()).toMatchObject({ code: 6 });
    expect(cap.stderr).toMatch(/\/cap\/1: /);
    expect(cap.stderr).toMatch(/\/cap\/2: /);
  });

  test.each([
    [['--rtsp', '--monitor', 'all', '--source', 'test'], '--source cannot be used with --monitor all'],
    [['--rtsp', '--monitor', 'all', '--region', '10x10+0+0'], '--region cannot be used'],
    [['--rtsp', '--monitor', 'all', '--window', 'x'], '--window cannot be used'],
    [['--monitor', 'all'], 'nothing to do'],
  ])('cap %j is refused', async (args, words) => {
    const { code, stderr } = await runCap(args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});

describe('monitors that come and go', () => {
  test('on X11: an unplugged one ends its mount and its file; plugged in again it has another', async () => {
    await using cap = startCap([...SERVED, '--record', join(folder, 'out.mp4')], { env: display.env });
    const [, base] = await cap.waitForOutput(/^(rtsp:\S+\/cap)\/2$/m);
    await using reader = await RtspPlayer.overTcp(`${base}/2`);
    await using other = await RtspPlayer.overTcp(`${base}/1`);
    await reader.waitForUnits(1);
    await other.waitForUnits(1);
    await vi.waitFor(() => expect(readdirSync(folder)).toContain('out-2.mp4'), { timeout: 20_000 });

    await unplug(display, 'RIGHT');
    await reader.client.closed;
    await cap.waitForOutput(/^warn: \/cap\/2: monitor RIGHT was unplugged or changed$/m, 20_000, 2);
    await cap.waitForOutput(/^recorded \d+ frames, .*out-2\.mp4$/m, 20_000, 2);
    expect(await sizeOf('out-2.mp4')).toBe('320x480');

    await plug(display, 'OTHER', '200x100+700+0');
    await cap.waitForOutput(new RegExp(`200x100\\S* .*\n${base}/2\n$`));
    expect(await sizeAt(`${base}/2`)).toBe('200x100');
    await other.waitForUnits(other.units.length + 1); // it has never stopped

    await unplug(display, 'OTHER');
    await plug(display, 'OTHER', '240x100+700+0');
    await cap.waitForOutput(new RegExp(`240x100\\S* .*\n${base}/2\n$`));
    expect(await sizeAt(`${base}/2`)).toBe('240x100');

    cap.signal('SIGINT');
    expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
    expect(readdirSync(folder).sort()).toEqual(['out-1.mp4', 'out-2-2.mp4', 'out-2-3.mp4', 'out-2.mp4']);
    expect([await sizeOf('out-2-2.mp4'), await sizeOf('out-2-3.mp4')]).toEqual(['200x100', '240x100']);
  });

  test('on Wayland: with every monitor gone it waits for one', async () => {
    await using compositor = await startTestCompositor('ext', 200, 100);
    await using cap = startCap([...SERVED, '--display', compositor.display]);
    const [, url = ''] = await cap.waitForOutput(/^(rtsp:\S+\/cap\/1)$/m);
    await using reader = await RtspPlayer.overTcp(url);
    await reader.waitForUnits(1);
    await compositor.tell('unplug');
    await cap.waitForOutput(/^warn: \/cap\/1: .*TEST-1/m, 20_000, 2);
    await reader.client.closed;
    expect(cap.ended).toBe(false);
    await compositor.tell('plug');
    await cap.waitForOutput(new RegExp(`${url}\n[^]*${url}\n`));
    expect(await sizeAt(url)).toBe('200x100');
    // It may be back before its capture knows that it was gone.
    for (let times = 1; times <= 5; times++) {
      await compositor.tell('unplug');
      await compositor.tell('plug');
      await vi.waitFor(async () => expect(await sizeAt(url)).toBe('200x100'), { timeout: 20_000 });
    }
    compositor.process.signal('SIGKILL');
    expect(await cap.waitForExit()).toMatchObject({ code: 6 });
  });

  test('of sway: one that is plugged in joins the others', async () => {
    await using sway = await startSway(2, 400, 300);
    await using cap = startCap([...SERVED, '--display', sway.display]);
    const [, base] = await cap.waitForOutput(/^(rtsp:\S+\/cap)\/2$/m);
    expect(await sizeAt(`${base}/2`)).toBe('400x300');
    await sway.command('create_output');
    await cap.waitForOutput(/^monitor HEADLESS-3 400x300, .*\nrtsp:\S+\/cap\/3$/m);
    expect(await sizeAt(`${base}/3`)).toBe('400x300');
    sway.process.signal('SIGKILL');
    expect(await cap.waitForExit()).toMatchObject({ code: 6 });
    expect(cap.stderr.match(/^warn: \/cap\/[123]: /gm)).toHaveLength(3);
  });
});
