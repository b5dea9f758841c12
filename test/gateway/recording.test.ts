import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { buildCommands } from '../support/cap.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import { readRecorded } from '../support/recorded-file.js';
import { RtspPlayer } from '../support/rtsp-player.js';

beforeAll(buildCommands);

const LONG = { timeout: 30_000 };
const RECORD = `[mounts.a]\n${TEST_MOUNT}[mounts.a.record]\nfile = "FOLDER/{mount}/%Y%m%d-%H%M%S.mp4"\n`;
const CONFIG = `[metrics]\nport = 0\n${RECORD}segment-time = "1s"\nretain-size = "1G"\n`;

const files = ({ folder }: ServedConfig): string[] => {
  const within = join(folder, 'a');
  // What a killed process had just begun does not play yet, and is not called so.
  const names = readdirSync(within).filter((name) => name.endsWith('.mp4'));
  return names.map((name) => join(within, name));
};

async function metric(gateway: ServedConfig, name: string): Promise<number> {
  const [, url = ''] = await gateway.command.waitForOutput(/^metrics at (http:\S+)$/m);
  const text = await (await fetch(url)).text();
  return Number(new RegExp(`^${name}\\{mount="/a"\\} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

test('a mount is recorded while nobody watches, on through the death of its process', async () => {
  await using gateway = await ServedConfig.start(CONFIG);
  await vi.waitFor(async () => expect(await metric(gateway, 'cap_recording_segments_total')).toBeGreaterThan(7), LONG);
  expect(await metric(gateway, 'cap_recording_bytes_total')).toBeGreaterThan(1000);
  process.kill(gateway.workers('of /a')[0] as number, 'SIGKILL');
  const before = files(gateway).length;
  await vi.waitFor(() => expect(files(gateway).length).toBeGreaterThan(before + 2), LONG);
  await gateway.waitForLog(/recorded mount=\/a file=\S+\.mp4 bytes=\d+/);
  await gateway.command.close();
  for (const path of files(gateway)) expect((await readRecorded(path)).pictures.length).toBeGreaterThan(0);
});

test('what cannot be written is told and tried again, and readers notice nothing', async () => {
  await using gateway = await ServedConfig.start(`[metrics]\nport = 0\n${RECORD.replace('{mount}', 'later/%Y')}`);
  await gateway.waitForPicture('/a');
  await gateway.waitForLog(/error: cannot write .*; trying again in 5 s/);
  await using reader = await RtspPlayer.overTcp(gateway.url('/a'));
  mkdirSync(join(gateway.folder, 'later'));
  await reader.waitForUnits(5);
  await vi.waitFor(() => {
    const years = readdirSync(join(gateway.folder, 'later'));
    expect(years.flatMap((year) => readdirSync(join(gateway.folder, 'later', year)))).toHaveLength(1);
  }, LONG);
  expect(await metric(gateway, 'cap_recording_write_errors_total')).toBe(1);
  rmSync(join(gateway.folder, 'later'), { recursive: true });
});
