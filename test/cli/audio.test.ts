import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { freePort } from '../support/port.js';
import { playTone, SOUND_SERVERS, startSoundServer, streamsOf, type TestSoundServer } from '../support/sound-server.js';
import { codecsOf, listen, shareOfTone } from '../support/tones.js';

const MOSTLY = 0.6;
const TEST_SOURCE = ['--source', 'test', '--size', '320x240'];
const [KIND = 'pipewire'] = SOUND_SERVERS;

let sound: TestSoundServer;
let folder: string;

beforeAll(async () => {
  await buildCommands();
  sound = await startSoundServer(KIND);
});

afterAll(() => sound[Symbol.asyncDispose]());

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-cli-audio-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('cap sources lists outputs, microphones and what plays, with arguments that capture them', async () => {
  const { env } = sound;
  await using _tone = await playTone(sound, 1000, "It's a tone", 'headphones');
  const { code, stdout } = await runCap(['sources', '--json'], { env });
  expect(code).toBe(0);
  const { audio } = JSON.parse(stdout);
  const of = (path: string) => audio.find((row: { path: string }) => row.path === path);
  expect(of('speakers.monitor')).toMatchObject({ kind: 'output', argument: '--audio' });
  expect(of('headphones.monitor')).toMatchObject({ kind: 'output', argument: '--audio-device headphones.monitor' });
  expect(of('mic')).toMatchObject({ kind: 'microphone', argument: '--mic' });
  const app = of('gst-launch-1.0');
  expect(app).toEqual({
    kind: 'application',
    name: "It's a tone",
    path: 'gst-launch-1.0',
    argument: String.raw`--app 'It'\''s a tone'`,
  });
  expect((await runCap(['sources'], { env })).stdout).toMatch(/^application +It's a tone +gst-launch-1\.0 +--app 'It/m);

  await using cap = startCap(['--rtsp', '--rtsp-port', '0', ...TEST_SOURCE, '--app', "It's a tone"], { env });
  const [url] = await cap.waitForOutput(/^rtsp:\S+$/m);
  expect(cap.stdout).toMatch(/^application It's a tone, opus$/m);
  // A stream that is moved is heard there once its buffer has come round.
  await vi.waitFor(async () => expect(shareOfTone(await listen(url, { seconds: 1 }), 1000)).toBeGreaterThan(MOSTLY), {
    timeout: 20_000,
  });
});

test('a file alone has AAC, one beside --rtsp what is streamed, unless another codec is named', async () => {
  const { env } = sound;
  const file = join(folder, 'out.mp4');
  const record = async (...args: string[]): Promise<string[]> => {
    expect(await runCap(['-d', '2s', ...TEST_SOURCE, '--audio', '--mic', ...args, file], { env })).toMatchObject({
      code: 0,
    });
    return codecsOf(file);
  };
  expect(await record()).toEqual(['h264', 'aac', 'aac']);
  expect(await record('--rtsp', '--rtsp-port', '0')).toEqual(['h264', 'opus', 'opus']);
  expect(await record('--audio-codec', 'opus')).toEqual(['h264', 'opus', 'opus']);
});

test('cap repair puts back what a killed capture left, and says so', async () => {
  const { env } = sound;
  await using _tone = await playTone(sound, 1000, 'Tone');
  await using cap = startCap(['--rtsp', '--rtsp-port', '0', ...TEST_SOURCE, '--app', 'tone'], { env });
  await cap.waitForOutput(/^rtsp:\S+$/m);
  await vi.waitFor(async () => expect((await streamsOf(sound))[0]?.sink).toMatch(/^cap_app_/), { timeout: 20_000 });
  cap.killGroup();
  await cap.exited;
  const repaired = await runCap(['repair'], { env });
  expect(repaired).toMatchObject({ code: 0, stderr: '' });
  expect(repaired.stdout).toMatch(/^Tone plays on the default output again\ncap_app_\w+ was removed\n$/);
  await vi.waitFor(
    async () => expect(await streamsOf(sound)).toMatchObject([{ application: 'Tone', sink: 'speakers' }]),
    { timeout: 20_000 },
  );
  expect(await runCap(['repair'], { env })).toMatchObject({ code: 0, stdout: 'There is nothing to repair\n' });
});

test('cap doctor names the sound server, and what to do without one', async () => {
  const port = ['--rtsp-port', String(await freePort())];
  const well = await runCap(['doctor', ...port], { env: sound.env });
  expect(well.stdout).toMatch(/^✓ sound: .*(pulseaudio|PipeWire)/m);
  const without = await runCap(['doctor', ...port], { env: { PULSE_SERVER: 'unix:/nonexistent' } });
  expect(without.code).toBe(0);
  expect(without.stdout).toMatch(
    /^✗ sound: there is no sound server: .*\(start PulseAudio, or PipeWire with pipewire-pulse/m,
  );
});

describe('ends in one line', () => {
  const cases: readonly (readonly [string[], number, RegExp])[] = [
    [['--app', 'Firefox'], 5, /no application that plays sound is "Firefox" \(nothing plays sound now\)/],
    [['--audio-device', 'nowhere'], 5, /there is no sound device "nowhere" \(devices: .*speakers\.monitor/],
    [['--audio-codec', 'opus'], 2, /--audio-codec is for sound \(add --audio/],
    [['--audio', '--audio-codec', 'mp3'], 2, /expected one of opus, aac for --audio-codec, received "mp3"/],
    [['--audio', '--monitor', 'all'], 2, /sound cannot be used with --monitor all/],
  ];
  test.each(cases)('cap --rtsp %j', async (args, code, words) => {
    const source = args.includes('--monitor') ? [] : TEST_SOURCE;
    const result = await runCap(['--rtsp', '--rtsp-port', '0', ...source, ...args], { env: sound.env });
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(words);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
  });

  test.each(['--audio', '--mic', '--app=x'])('cap --rtsp %s without a sound server', async (flag) => {
    const env = { PULSE_SERVER: 'unix:/nonexistent' };
    const result = await runCap(['--rtsp', '--rtsp-port', '0', ...TEST_SOURCE, flag], { env });
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toMatch(/^cap: there is no sound server: .*\(start PulseAudio, .*\)\n$/);
  });
});
