import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommands, commandPath, runCap, startCap, streamUrl } from '../support/cap.js';
import { ffmpegFrames } from '../support/media-clients.js';
import { type RunningProcess, run, runProgram, start } from '../support/process.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-record-'));
  await buildCommands();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Recording {
  readonly frames: number;
  readonly seconds: number;
}

/** What ffprobe decodes of a file. */
async function probeFile(path: string): Promise<Recording> {
  const entries = ['-count_frames', '-show_entries', 'stream=nb_read_frames:format=duration', '-of', 'json'];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...entries, path]);
  const { streams, format } = JSON.parse(stdout);
  return { frames: Number(streams[0].nb_read_frames), seconds: Number(format.duration) };
}

async function record(name: string, ...args: string[]): Promise<Recording & { readonly bytes: number }> {
  const path = join(folder, name);
  const { code, stderr } = await runCap(['--source', 'test', '--size', '640x360', ...args, path]);
  expect(stderr).toMatch(/^recorded [\d.]+ s, \d+ frames, [\d.]+ MB into .*\.mp4\n$/);
  expect(code).toBe(0);
  return { ...(await probeFile(path)), bytes: statSync(path).size };
}

test('records so many seconds at so many frames a second', async () => {
  const { frames, seconds } = await record('high.mp4', '-d', '2s', '-q', 'high', '-f', '30');
  // A busy machine may skip frames; their times stay true.
  expect(frames).toBeGreaterThanOrEqual(45);
  expect(frames).toBeLessThanOrEqual(30 * seconds + 2);
  expect(seconds).toBeGreaterThan(1.8);
  expect(seconds).toBeLessThan(2.3);
});

test('the quality decides on the size', async () => {
  const low = await record('low.mp4', '-d', '1s', '-q', 'low');
  const ultra = await record('ultra.mp4', '-d', '1s', '-q', 'ultra');
  expect(ultra.bytes / ultra.frames).toBeGreaterThan((1.2 * low.bytes) / low.frames);
});

test('streams and records from one encode', async () => {
  const path = join(folder, 'both.mp4');
  const size = ['--size', '320x240'];
  await using cap = startCap(['--rtsp', '--rtsp-port', '0', '--source', 'test', ...size, '--record', path]);
  expect(await ffmpegFrames(await streamUrl(cap), 1)).toBeGreaterThan(10);
  cap.signal('SIGINT');
  expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
  const recorded = Number(/recorded [\d.]+ s, (\d+) frames/.exec(cap.stderr)?.[1]);
  expect(recorded).toBeGreaterThan(10);
  expect(await probeFile(path)).toMatchObject({ frames: recorded });
});

/** Runs `cap` where no file can become larger than 50 kB, as on a disk that fills up. */
function startOnFullDisk(...args: string[]): RunningProcess {
  const test = ['--source', 'test', '--size', '640x360', '-q', 'ultra'];
  return start('prlimit', ['--fsize=50000', process.execPath, commandPath('cap'), ...test, ...args]);
}

test('a full disk ends a recording with one line, and what was written plays', async () => {
  const path = join(folder, 'full.mp4');
  await using cap = startOnFullDisk('-d', '1h', path);
  expect(await cap.waitForExit()).toEqual({ code: 9, signal: null });
  expect(cap.stderr).toMatch(/^cap: cannot write .*full\.mp4: .* \(.*the disk has room\)\n$/);
  expect((await probeFile(path)).frames).toBeGreaterThanOrEqual(10);
});

test('a full disk beside --rtsp is warned of once; the stream goes on, and the exit code tells in the end', async () => {
  const path = join(folder, 'beside.mp4');
  await using cap = startOnFullDisk('--rtsp', '--rtsp-port', '0', '--record', path);
  await cap.waitForOutput(/^warn: cannot write .*; the stream goes on without it\n/m, 20_000, 2);
  expect(await ffmpegFrames(await streamUrl(cap), 1)).toBeGreaterThan(10);
  cap.signal('SIGINT');
  expect(await cap.waitForExit()).toEqual({ code: 9, signal: null });
  expect(cap.stderr).toMatch(/^warn: cannot write [^\n]+\ncap: cannot write [^\n]+\n$/);
  expect((await probeFile(path)).frames).toBeGreaterThanOrEqual(10);
});

test('a recording plays after kill -9', async () => {
  const path = join(folder, 'killed.mp4');
  await using cap = startCap(['--source', 'test', '--size', '320x240', '--rtsp', '--rtsp-port', '0', path]);
  expect(await ffmpegFrames(await streamUrl(cap), 2)).toBeGreaterThan(20);
  cap.signal('SIGKILL');
  await cap.waitForExit();
  // All but the last fragment of half a second.
  expect((await probeFile(path)).frames).toBeGreaterThanOrEqual(30);
  expect(await runProgram('ffmpeg', ['-v', 'error', '-i', path, '-f', 'null', '-'])).toMatchObject({ code: 0 });
});
