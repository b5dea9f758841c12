import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHttp } from '../../src/server/index.js';
import { CaptureSession, StreamTable } from '../../src/session/index.js';
import { buildCommands, startCap } from '../support/cap.js';
import { testPicture } from '../support/capture.js';
import { readStrip, STRIP_POINTS } from '../support/clock-strip.js';
import { startDisplay } from '../support/display.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import type { RunningProcess } from '../support/process.js';
import { readProcessUsage } from '../support/process-usage.js';
import { startResizableDisplay } from '../support/resizable-display.js';
import { showClock } from '../support/screen.js';
import { startBrowser, startVictim, ViewerPage } from '../support/viewer-page.js';
import { WhepClient } from '../support/whep-client.js';

let browser: Browser;
beforeAll(async () => {
  await buildCommands();
  browser = await startBrowser();
});
afterAll(() => browser.close());

const addressOf = async (command: RunningProcess): Promise<string> => (await command.waitForOutput(/^http:\S+$/m))[0];

const states = async (viewer: ViewerPage): Promise<Record<string, string>> =>
  Object.fromEntries((await viewer.tiles()).map(({ path, state }) => [path, state]));

/** How often it has asked for a stream. */
const offers = (viewer: ViewerPage): number => viewer.requests.filter((url) => url.includes('/whep/')).length;

test('the picture moves, its clock can be read, and its age is told', async () => {
  await using display = await startDisplay({ widthPx: 1280, heightPx: 720 });
  await using _clock = await showClock(display, { widthPx: 1280, heightPx: 720 });
  await using cap = startCap(['--http', '--http-port', '0'], { env: display.env });
  await using viewer = await ViewerPage.open(browser, await addressOf(cap));
  await expect.poll(() => states(viewer)).toEqual({ '/cap': 'live' });
  const read = async (): Promise<number | undefined> => readStrip(await viewer.lumaAt(STRIP_POINTS));
  await expect.poll(read).toBeDefined();
  const first = (await read()) ?? 0;
  await expect.poll(read).toBeGreaterThan(first + 500);
  // Both clocks are this machine's, so what is shown was drawn before now.
  const shown = (await read()) ?? 0;
  const now = Number((process.hrtime.bigint() / 100_000n) % 2n ** 32n) / 10;
  expect(now).toBeGreaterThan(shown);

  await expect.poll(() => viewer.tiles()).toMatchObject([{ size: '1280 × 720', readers: '1' }]);
  const [tile] = await viewer.tiles();
  expect(tile?.age).toMatch(/^\d+ ms$|^\d+\.\d s$/);
  expect(tile?.rate).toMatch(/bit\/s, \d+ fps$/);
  expect(viewer.complaints).toEqual([]);
  const { origin } = new URL(viewer.page.url());
  expect(viewer.requests.filter((url) => !url.startsWith(origin) && !url.startsWith('data:'))).toEqual([]);
});

test('a screen that changes its size goes on in the same connection', async () => {
  await using display = await startResizableDisplay();
  await using cap = startCap(['--http', '--http-port', '0'], { env: display.env });
  await using viewer = await ViewerPage.open(browser, await addressOf(cap));
  const played = async (): Promise<unknown> => {
    const [tile] = await viewer.tiles();
    return { state: tile?.state, size: tile?.size, videoWidth: tile?.videoWidth };
  };
  await expect.poll(played).toEqual({ state: 'live', size: '1280 × 720', videoWidth: 1280 });
  const before = offers(viewer);
  await display.resize(800, 600);
  await expect.poll(played).toEqual({ state: 'live', size: '800 × 600', videoWidth: 800 });
  expect(offers(viewer)).toBe(before);
});

test('every mount of cap serve plays, and comes back when the process that serves them dies', async () => {
  await using gateway = await ServedConfig.start(
    `[http]\nport = 0\n[mounts.a]\n${TEST_MOUNT}[mounts."lab/b"]\n${TEST_MOUNT}`,
  );
  await gateway.waitForPicture('/a');
  await gateway.waitForPicture('/lab/b');
  await using viewer = await ViewerPage.open(browser, await addressOf(gateway.command));
  await expect.poll(() => states(viewer)).toEqual({ '/a': 'live', '/lab/b': 'live' });
  const [doors = 0] = gateway.workers('door-worker');
  const asked = offers(viewer);
  process.kill(doors, 'SIGKILL');
  await expect.poll(() => offers(viewer)).toBeGreaterThanOrEqual(asked + 2);
  await expect.poll(() => states(viewer)).toEqual({ '/a': 'live', '/lab/b': 'live' });
  const before = await viewer.tiles();
  await expect.poll(async () => (await viewer.tiles())[0]?.time).toBeGreaterThan(before[0]?.time ?? 0);
  expect(viewer.complaints).toEqual([]);
});

test('without WebRTC there are single pictures, until there is room again', async () => {
  await using session = await CaptureSession.open({ source: testPicture() });
  const streams = new StreamTable();
  streams.add({ path: '/cap', label: session.label, stream: session.stream });
  await using server = await openHttp(streams, { port: 0, webrtc: { maxPeers: 1 } });
  await using other = await WhepClient.create();
  const { session: taken } = await other.post(`${server.url}/whep/cap`);
  await using viewer = await ViewerPage.open(browser, server.url);
  await expect.poll(() => states(viewer)).toEqual({ '/cap': 'stills' });
  expect((await viewer.tiles())[0]?.stillWidth).toBe(320);
  await fetch(taken, { method: 'DELETE' });
  await expect.poll(() => states(viewer)).toEqual({ '/cap': 'live' });
  expect(await viewer.page.locator('img').isVisible()).toBe(false);
});

test('the last words of the model are shown', async () => {
  await using cap = startCap(['--http', '--http-port', '0', '--source', 'test']);
  const url = await addressOf(cap);
  const say = (mount: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/api/streams/${mount}/words`, { method: 'POST', headers, body });
  await using viewer = await ViewerPage.open(browser, url);
  expect((await say('cap', JSON.stringify({ text: 'a ball <b>moves</b>', by: 'qwen' }))).status).toBe(204);
  await expect.poll(async () => (await viewer.tiles())[0]?.words).toBe('a ball <b>moves</b>');
  expect((await say('none', JSON.stringify({ text: 'x' }))).status).toBe(404);
  expect((await say('cap', '{"text": 5}')).status).toBe(400);
  expect((await say('cap', 'x'.repeat(33 << 10))).status).toBe(413);
  expect((await say('cap', '{"text": "x"}', { origin: 'https://example.org' })).status).toBe(403);
});

test('cap watch --report has its answers shown', async () => {
  await using cap = startCap(['--rtsp', '--rtsp-port', '0', '--http', '--http-port', '0', '--source', 'test://text']);
  const [stream] = await cap.waitForOutput(/^rtsp:\S+$/m);
  const url = await addressOf(cap);
  await using viewer = await ViewerPage.open(browser, url);
  await using watch = startCap(['watch', stream, '--every', '1s', '--report', url]);
  await expect.poll(async () => (await viewer.tiles())[0]?.words, { timeout: 40_000 }).toContain('lazy dog');
  await cap.close();
  await watch.waitForOutput(/takes no words/, 20_000, 2);
});

test('a browser that is killed is let go', async () => {
  await using session = await CaptureSession.open({ source: testPicture() });
  const streams = new StreamTable();
  streams.add({ path: '/cap', label: session.label, stream: session.stream });
  await using server = await openHttp(streams, { port: 0 });
  const victim = await startVictim();
  try {
    const viewer = await ViewerPage.open(victim.browser, server.url);
    await expect.poll(() => states(viewer)).toEqual({ '/cap': 'live' });
  } finally {
    await victim.kill();
  }
  const readers = async (): Promise<unknown> =>
    ((await (await fetch(`${server.url}/api/streams`)).json()) as { readers: { webrtc: number } }[])[0]?.readers.webrtc;
  expect(await readers()).toBe(1);
  await expect.poll(readers).toBe(0);
});

test('fifteen that come and go leave no descriptor and no thread behind', async () => {
  await using cap = startCap(['--http', '--http-port', '0', '--source', 'test', '--size', '320x240', '--linger', '1h']);
  const url = await addressOf(cap);
  const comeAndGo = async (times: number): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      await using viewer = await ViewerPage.open(browser, url);
      await expect.poll(() => states(viewer), { interval: 20 }).toEqual({ '/cap': 'live' });
    }
    const readers = async (): Promise<unknown> =>
      ((await (await fetch(`${url}/api/streams`)).json()) as { readers: { webrtc: number } }[])[0]?.readers.webrtc;
    await expect.poll(readers).toBe(0);
  };
  const usage = (): { descriptors: number; threads: number } => readProcessUsage(cap.pid);
  await comeAndGo(5);
  const before = usage();
  await comeAndGo(15);
  // Connections of the browser that are kept open come and go on their own.
  await expect.poll(() => usage().descriptors).toBeLessThanOrEqual(before.descriptors + 6);
  expect(usage().threads).toBeLessThanOrEqual(before.threads + 2);
});
