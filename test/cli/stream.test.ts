import { beforeAll, expect, test } from 'vitest';
import { buildCommands, startCap, startCommand, startStream, streamUrl } from '../support/cap.js';
import { ffmpegFrames, probe } from '../support/media-clients.js';
import { run } from '../support/process.js';

beforeAll(buildCommands);

test('cap --rtsp --rtsp-port 0 says what it captures and prints its address, where it plays', async () => {
  await using cap = startCap(['--rtsp', '--rtsp-port', '0', '--source', 'test', '--scale-preset', 'p4', '-f', '15']);
  const url = await streamUrl(cap);
  expect(await probe(url)).toMatchObject({ codec: 'h264', widthPx: 640, heightPx: 360, pixelFormat: 'yuv420p' });
  expect(await ffmpegFrames(url, 1, 'udp')).toBeGreaterThanOrEqual(10);
  expect(cap.stdout).toBe(`test 1280x720, p4 640x360 at 15 fps\n${url}\n`);
});

test('readers that come and go are not worth a line, but with -v', async () => {
  const quiet = await startStream();
  const verbose = await startStream('-v');
  await using _quiet = quiet.cap;
  await using _verbose = verbose.cap;
  for (const { url } of [quiet, verbose]) await ffmpegFrames(url, 0.2);
  await verbose.cap.waitForOutput(/reader joined[\s\S]*reader left/, 20_000, 2);
  expect(quiet.cap.stderr).toBe('');
});

test('--host other than loopback is warned of', async () => {
  const { cap, url } = await startStream('--host', '0.0.0.0');
  await using _cap = cap;
  await cap.waitForOutput(/^warn: 0\.0\.0\.0 is open to the network and asks nobody for a password\n/m, 20_000, 2);
  expect(await probe(url)).toMatchObject({ codec: 'h264' });
});

test('-d ends the stream by itself', async () => {
  const { cap } = await startStream('-d', '300ms');
  await using _cap = cap;
  expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
});

test('rtsp-demo serves the size and rate it is asked for', async () => {
  const size = ['--width', '480', '--height', '272', '--fps', '12'];
  await using demo = startCommand('rtsp-demo', ['--rtsp-port', '0', ...size]);
  const url = await streamUrl(demo);
  expect(await probe(url)).toMatchObject({ codec: 'h264', widthPx: 480, heightPx: 272 });
  // Packets' times, for the rate that the stream itself has.
  const entries = ['-show_entries', 'packet=pts_time', '-of', 'csv=p=0', '-read_intervals', '%+2'];
  const { stdout } = await run('ffprobe', ['-v', 'error', '-rtsp_transport', 'tcp', ...entries, url]);
  const times = stdout.trim().split('\n').map(Number.parseFloat).filter(Number.isFinite);
  const seconds = (times.at(-1) ?? 0) - (times[0] ?? 0);
  expect((times.length - 1) / seconds).toBeCloseTo(12, 0);
});

test('--help and --version are answers, not errors', async () => {
  await using help = startCap(['--help']);
  expect(await help.waitForExit()).toMatchObject({ code: 0 });
  expect(help.stdout).toMatch(/^Usage: cap [\s\S]*describe[\s\S]*watch[\s\S]*presets/);
  await using version = startCap(['--version']);
  expect(await version.waitForExit()).toMatchObject({ code: 0 });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
