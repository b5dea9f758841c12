import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommands } from '../support/cap.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import { probe } from '../support/media-clients.js';
import { run } from '../support/process.js';
import { RtspClient } from '../support/rtsp-client.js';
import { RtspPlayer } from '../support/rtsp-player.js';

beforeAll(buildCommands);
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** Where a certificate of its own is kept. */
const state = mkdtempSync(join(tmpdir(), 'cap-state-'));
const STATE = { XDG_STATE_HOME: state };

const TWO_MOUNTS = `[mounts.a]\n${TEST_MOUNT}[mounts."lab/b"]\n${TEST_MOUNT}scale-preset = "p4"\n`;

/** One process of the gateway that does that part of its work. */
function onlyWorker(gateway: ServedConfig, name: string): number {
  const [id, ...others] = gateway.workers(name);
  if (id === undefined || others.length > 0) throw new Error(`not one worker for ${name}`);
  return id;
}

function inOrder(units: RtspPlayer['units']): void {
  const times = units.map((unit) => unit.rtpTime);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
}

test('each mount is served at its path, from a process of its own', async () => {
  await using gateway = await ServedConfig.start(TWO_MOUNTS);
  await gateway.waitForPicture('/a');
  await gateway.waitForPicture('/lab/b');
  expect(await probe(gateway.url('/a'))).toMatchObject({ codec: 'h264', widthPx: 320, heightPx: 240 });
  expect(await probe(gateway.url('/lab/b'))).toMatchObject({ codec: 'h264', widthPx: 160, heightPx: 120 });
  expect(gateway.workers('')).toHaveLength(3);
});

test('the processes of captures die again and again, and readers see the stream go on', async () => {
  await using gateway = await ServedConfig.start(TWO_MOUNTS);
  await gateway.waitForPicture('/a');
  await gateway.waitForPicture('/lab/b');
  await using reader = await RtspPlayer.overTcp(gateway.url('/a'));
  await using other = await RtspPlayer.overTcp(gateway.url('/lab/b'));
  for (let times = 1; times <= 5; times++) {
    await reader.waitForUnits(5);
    const before = reader.units.length;
    process.kill(onlyWorker(gateway, 'of /a'), times % 2 ? 'SIGKILL' : 'SIGABRT');
    await gateway.waitForPicture('/a', times + 1);
    await reader.waitForUnits(5);
    expect(reader.units.slice(before).some((unit) => unit.key)).toBe(true);
  }
  inOrder(reader.units);
  // The other mount has not noticed.
  await other.waitForUnits(5);
  inOrder(other.units);
  expect(gateway.command.stderr).not.toContain('of /lab/b died');
});

test('when the process that serves readers dies, they can come back to the same port', async () => {
  await using gateway = await ServedConfig.start(TWO_MOUNTS);
  await gateway.waitForPicture('/a');
  await gateway.waitForPicture('/lab/b');
  const url = gateway.url('/a');
  await using reader = await RtspPlayer.overTcp(url);
  await reader.waitForUnits(5);
  const captures = [onlyWorker(gateway, 'of /a'), onlyWorker(gateway, 'of /lab/b')];
  process.kill(onlyWorker(gateway, 'readers'), 'SIGABRT');
  await reader.client.closed;
  await gateway.waitForPicture('/a', 2);
  await gateway.waitForPicture('/lab/b', 2);
  await using again = await RtspPlayer.overTcp(url);
  await again.waitForUnits(5);
  expect([onlyWorker(gateway, 'of /a'), onlyWorker(gateway, 'of /lab/b')]).toEqual(captures);
});

test('a mount that nobody watches rests, and is there again for the next reader', async () => {
  await using gateway = await ServedConfig.start(`[mounts.a]\n${TEST_MOUNT}linger = "100ms"\n`);
  await gateway.waitForLog(/capture rests/);
  process.kill(onlyWorker(gateway, 'readers'), 'SIGKILL'); // the new one has to mount a stream that rests
  await gateway.waitForPicture('/a', 2);
  for (let round = 0; round < 3; round++) {
    const before = gateway.command.stderr.length;
    await using reader = await RtspPlayer.overTcp(gateway.url('/a'));
    await reader.waitForUnits(10);
    await reader.teardown();
    await gateway.waitForLog(/capture rests/, before);
  }
});

test('a source that is not there yet is waited for, beside those that are', async () => {
  await using gateway = await ServedConfig.start(
    `[mounts.a]\n${TEST_MOUNT}[mounts.film]\nsource = "file://FOLDER/film.mp4?loop"\n`,
  );
  await gateway.waitForPicture('/a');
  await gateway.waitForLog(/film\.mp4.* mount=\/film/);
  await using client = await RtspClient.open(gateway.url('/film'));
  expect((await client.request('DESCRIBE')).status).toBe(404);
  const film = join(gateway.folder, 'film.mp4');
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=15', '-t', '2'];
  await run('ffmpeg', ['-v', 'error', ...picture, '-pix_fmt', 'yuv420p', `${film}.part.mp4`]);
  renameSync(`${film}.part.mp4`, film);
  await gateway.waitForPicture('/film');
  await using reader = await RtspPlayer.overTcp(gateway.url('/film'));
  await reader.waitForUnits(5);
  // One line for all its tries.
  expect(gateway.command.stderr.match(/mount=\/film/g)).toHaveLength(2);
  rmSync(film);
});

test('a reload leaves mounts alone that did not change, and replaces, ends and adds others', async () => {
  const still = `[mounts.still]\n${TEST_MOUNT}`;
  await using gateway = await ServedConfig.start(`${still}[mounts.changes]\n${TEST_MOUNT}[mounts.ends]\n${TEST_MOUNT}`);
  for (const path of ['/still', '/changes', '/ends']) await gateway.waitForPicture(path);
  const [worker, changing] = [onlyWorker(gateway, 'of /still'), onlyWorker(gateway, 'of /changes')];
  await using reader = await RtspPlayer.overTcp(gateway.url('/still'));
  await using stays = await RtspPlayer.overTcp(gateway.url('/changes'));
  await using leaves = await RtspPlayer.overTcp(gateway.url('/ends'));
  await Promise.all([reader, stays, leaves].map((player) => player.waitForUnits(2)));

  const changed = `[mounts.changes]\nsource = "test"\nsize = "160x120"\n`;
  expect(await gateway.reload(`${still}${changed}[mounts.new]\n${TEST_MOUNT}`)).toBe('was read again');
  await gateway.waitForPicture('/new');
  await gateway.waitForPicture('/changes', 2);
  await leaves.client.closed;
  expect(onlyWorker(gateway, 'of /still')).toBe(worker);
  expect(onlyWorker(gateway, 'of /changes')).not.toBe(changing);
  await Promise.all([reader, stays].map((player) => player.waitForUnits(5)));
  inOrder(reader.units);
  inOrder(stays.units);
  expect(await probe(gateway.url('/changes'))).toMatchObject({ widthPx: 160, heightPx: 120 });

  expect(await gateway.reload('[mounts.still]\nfsp = 3\n')).toMatch(/not reloaded: .*cap\.toml:4: unknown key "fsp"/);
  await reader.waitForUnits(5);
  expect(onlyWorker(gateway, 'of /still')).toBe(worker);
});

test('logins and TLS are those of the configuration, also after the process that serves readers died', async () => {
  await using gateway = await ServedConfig.start(`tls = true\nrtsps-port = 0\n[mounts.a]\n${TEST_MOUNT}`, STATE);
  await gateway.waitForPicture('/a');
  const [plain, secure] = [/^rtsp:\/\/\S+$/m, /^rtsps:\/\/\S+$/m].map((form) => form.exec(gateway.command.stdout)?.[0]);
  expect(plain).toBeDefined();
  expect(secure).toBeDefined();
  const plays = async (): Promise<void> => {
    for (const url of [plain, secure]) expect(await probe(`${url}`)).toMatchObject({ widthPx: 320 });
  };
  await plays();
  process.kill(onlyWorker(gateway, 'readers'), 'SIGKILL');
  await gateway.waitForPicture('/a', 2);
  await plays();
});

test('other RTSP options open another server, and captures go on', async () => {
  await using gateway = await ServedConfig.start(TWO_MOUNTS);
  await gateway.waitForPicture('/a');
  await gateway.waitForPicture('/lab/b');
  const capture = onlyWorker(gateway, 'of /a');
  expect(await gateway.reload(`host = "127.0.0.2"\n${TWO_MOUNTS}`)).toBe('was read again');
  await gateway.waitForPicture('/a', 2);
  expect(onlyWorker(gateway, 'of /a')).toBe(capture);
  await expect(RtspClient.open(gateway.url('/a'))).rejects.toThrow('ECONNREFUSED');
  expect(gateway.command.stdout).toMatch(/^rtsp:\/\/127\.0\.0\.2:\d+\/a$/m);
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it and every process of it', async (signal) => {
  await using gateway = await ServedConfig.start(TWO_MOUNTS);
  await gateway.waitForPicture('/a');
  await gateway.waitForPicture('/lab/b');
  // As a service manager does: to every process.
  for (const id of gateway.mark.living().reverse()) process.kill(id, signal);
  expect(await gateway.command.waitForExit()).toEqual({ code: 0, signal: null });
  await gateway.mark.expectNone();
  expect(gateway.command.stderr).not.toMatch(/died|error/);
  expect(readdirSync(gateway.folder)).toEqual(['cap.toml']);
});

test('killed, it leaves neither processes nor files', async () => {
  await using gateway = await ServedConfig.start(TWO_MOUNTS);
  await gateway.waitForPicture('/a');
  gateway.command.signal('SIGKILL');
  await gateway.command.waitForExit();
  await gateway.mark.expectNone();
  expect(readdirSync(gateway.folder)).toEqual(['cap.toml']);
});

test('a worker that hangs is killed, and another one takes its place', async () => {
  await using gateway = await ServedConfig.start(`[mounts.a]\n${TEST_MOUNT}`);
  await gateway.waitForPicture('/a');
  await using reader = await RtspPlayer.overTcp(gateway.url('/a'));
  const hanging = onlyWorker(gateway, 'of /a');
  process.kill(hanging, 'SIGSTOP');
  await gateway.waitForLog(/does not answer and is killed/);
  await gateway.waitForPicture('/a', 2);
  await reader.waitForUnits(5);
  expect(onlyWorker(gateway, 'of /a')).not.toBe(hanging);
});
