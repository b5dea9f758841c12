import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildCommands } from '../support/cap.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { playTone, SOUND_SERVERS, startSoundServer, streamsOf, type TestSoundServer } from '../support/sound-server.js';
import { codecsOf, listen, shareOfTone } from '../support/tones.js';

const [KIND = 'pipewire'] = SOUND_SERVERS;
const LONG = { timeout: 20_000 };
/** A player on a busy machine makes gaps. */
const MOSTLY = 0.6;

let sound: TestSoundServer;
beforeAll(async () => {
  await buildCommands();
  sound = await startSoundServer(KIND);
});
afterAll(() => sound[Symbol.asyncDispose]());

const start = (config: string): Promise<ServedConfig> => ServedConfig.start(config, sound.env);
const heardAt = (url: string, hz: number, track = 0): Promise<void> =>
  vi.waitFor(async () => {
    expect(shareOfTone(await listen(url, { seconds: 1, track }), hz)).toBeGreaterThan(MOSTLY);
  }, LONG);

test('a mount has its sound, each channel a stream of its own, and the others have none', async () => {
  await using _tone = await playTone(sound, 1000);
  await using _voice = await playTone(sound, 440, 'Voice', 'air');
  await using gateway = await start(
    `[metrics]\nport = 0\n[mounts.a]\n${TEST_MOUNT}audio = true\nmic = true\n` +
      `[mounts.b]\n${TEST_MOUNT}[mounts.c]\n${TEST_MOUNT}audio-device = "speakers.monitor"\naudio-codec = "aac"\n`,
  );
  await Promise.all(['/a', '/b', '/c'].map((path) => gateway.waitForPicture(path)));
  expect(await codecsOf(gateway.url('/a'))).toEqual(['h264', 'opus', 'opus']);
  expect(await codecsOf(gateway.url('/b'))).toEqual(['h264']);
  expect(await codecsOf(gateway.url('/c'))).toEqual(['h264', 'aac']);
  await heardAt(gateway.url('/a'), 1000);
  await heardAt(gateway.url('/a'), 440, 1);
  await heardAt(gateway.url('/c'), 1000);
  const [, metrics = ''] = await gateway.command.waitForOutput(/^metrics at (http:\S+)$/m);
  const text = await (await fetch(metrics)).text();
  expect(text).toMatch(/^cap_audio_packets_total\{mount="\/a",channel="microphone"\} [1-9]/m);
  expect(text).not.toMatch(/^cap_audio_packets_total\{mount="\/b"/m);
});

test('the sound comes back with a process that died, and readers of both stay', async () => {
  await using _tone = await playTone(sound, 1000);
  await using gateway = await start(`[mounts.a]\n${TEST_MOUNT}audio = true\nalways-on = true\n`);
  await gateway.waitForPicture('/a');
  await using reader = await RtspPlayer.overTcp(gateway.url('/a'));
  await reader.waitForUnits(5);
  // Long enough to be under way when the process dies, and when another has taken its place.
  const listening = listen(gateway.url('/a'), { seconds: 8 });
  await heardAt(gateway.url('/a'), 1000);
  process.kill(gateway.workers('of /a')[0] as number, 'SIGKILL');
  await gateway.waitForPicture('/a', 2);
  await reader.waitForUnits(5);
  await heardAt(gateway.url('/a'), 1000);
  const heard = await listening;
  expect(shareOfTone(heard, 1000)).toBeGreaterThan(MOSTLY);
});

test('a configuration that is read again may add sound, and take it away', async () => {
  await using gateway = await start(`[mounts.a]\n${TEST_MOUNT}`);
  await gateway.waitForPicture('/a');
  expect(await codecsOf(gateway.url('/a'))).toEqual(['h264']);
  await gateway.reload(`[mounts.a]\n${TEST_MOUNT}audio = true\n`);
  await gateway.waitForPicture('/a', 2);
  expect(await codecsOf(gateway.url('/a'))).toEqual(['h264', 'opus']);
  await gateway.reload(`[mounts.a]\n${TEST_MOUNT}`);
  await gateway.waitForPicture('/a', 3);
  expect(await codecsOf(gateway.url('/a'))).toEqual(['h264']);
});

test('an application is led to the process that took the place of one that died, and put back at the end', async () => {
  await using tone = await playTone(sound, 700, 'Tone A');
  const sinkOf = async () => (await streamsOf(sound)).find(({ processId }) => processId === tone.pid)?.sink;
  {
    await using gateway = await start(`[mounts.a]\n${TEST_MOUNT}app = "Tone A"\n`);
    await gateway.waitForPicture('/a');
    await heardAt(gateway.url('/a'), 700);
    process.kill(gateway.workers('of /a')[0] as number, 'SIGKILL');
    await gateway.waitForPicture('/a', 2);
    await heardAt(gateway.url('/a'), 700);
    const modules = await sound.control('list', 'short', 'sinks');
    expect(modules.match(/cap_app_\S+/g)).toHaveLength(1);
  }
  await vi.waitFor(async () => expect(await sinkOf()).toBe('speakers'), LONG);
});

test('a device that is not there keeps its mount away, and says why', async () => {
  await using gateway = await start(`[mounts.a]\n${TEST_MOUNT}audio-device = "nothing"\n[mounts.b]\n${TEST_MOUNT}`);
  await gateway.waitForPicture('/b');
  await gateway.waitForLog(/nothing.* mount=\/a/);
});
