import { beforeAll, expect, test, vi } from 'vitest';
import { buildCommands, runCap } from '../support/cap.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import { RtspPlayer } from '../support/rtsp-player.js';

beforeAll(buildCommands);

const CONFIG = `[metrics]\nport = 0\n[mounts.a]\n${TEST_MOUNT}[mounts.film]\nsource = "file://FOLDER/none.mp4"\n`;

async function metricsUrl(gateway: ServedConfig): Promise<string> {
  const [, url = ''] = await gateway.command.waitForOutput(/^metrics at (http:\S+)$/m);
  return url;
}

/** Where its control socket is. */
const env = (gateway: ServedConfig) => ({ XDG_RUNTIME_DIR: gateway.runtimeFolder });

test('metrics tell each mount, its readers and what died; health says what is away', async () => {
  await using gateway = await ServedConfig.start(CONFIG);
  const url = await metricsUrl(gateway);
  await gateway.waitForPicture('/a');
  await using reader = await RtspPlayer.overTcp(gateway.url('/a'));
  await reader.waitForUnits(3);
  process.kill(gateway.workers('of /a')[0] as number, 'SIGKILL');
  await gateway.waitForPicture('/a', 2);
  await vi.waitFor(
    async () => {
      const text = await (await fetch(url)).text();
      const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
      expect(value('cap_mount_up{mount="/a"}')).toBe(1);
      expect(value('cap_mount_up{mount="/film"}')).toBe(0);
      expect(value('cap_capture_deaths_total{mount="/a"}')).toBe(1);
      expect(value('cap_door_deaths_total')).toBe(0);
      expect(value('cap_frames_encoded_total{mount="/a"}')).toBeGreaterThan(0);
      expect(value('cap_rtsp_readers{mount="/a",protocol="tcp"}')).toBe(1);
    },
    { timeout: 20_000 },
  );
  expect((await fetch(url.replace('metrics', 'healthz'))).status).toBe(200);
  const ready = await fetch(url.replace('metrics', 'readyz'));
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    ready: false,
    serves: true,
    away: [{ path: '/film', state: 'starting' }],
  });
  expect((await fetch(url.replace('metrics', 'else'))).status).toBe(404);
});

test('cap status says what runs, and cap stop ends it', async () => {
  await using gateway = await ServedConfig.start(`[mounts.a]\n${TEST_MOUNT}`);
  await gateway.waitForPicture('/a');
  const { stdout, code } = await runCap(['status'], { env: env(gateway) });
  expect(code).toBe(0);
  expect(stdout).toContain(`${gateway.url('/a')}\n`);
  expect(stdout).toMatch(/\/a +running +test 320x240, source 320x240 at 30 fps +0/);
  const [report] = JSON.parse((await runCap(['status', '--json'], { env: env(gateway) })).stdout);
  expect(report).toMatchObject({ pid: gateway.command.pid, mounts: [{ path: '/a', state: 'running', deaths: 0 }] });
  expect(await runCap(['stop'], { env: env(gateway) })).toMatchObject({ code: 0 });
  expect(await gateway.command.waitForExit()).toEqual({ code: 0, signal: null });
  expect((await runCap(['status'], { env: env(gateway) })).code).toBe(10);
});
