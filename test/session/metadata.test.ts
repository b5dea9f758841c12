import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clockId, monotonicNowNs, wallNowUs } from '../../src/core/index.js';
import { splitByteStream } from '../support/access-units.js';
import { serveCapture, testPicture } from '../support/capture.js';
import { run } from '../support/process.js';
import { metadataOf } from '../support/unit-metadata.js';

const FPS = 30;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-metadata-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('every access unit that a foreign client gets says when, of what and how it was captured', async () => {
  const earliest = { monotonicNs: monotonicNowNs(), wallUs: wallNowUs() };
  const source = { width: 642, height: 360 };
  await using capture = await serveCapture({ source: testPicture(source), scaling: { preset: 'p4' }, fps: FPS });
  const file = join(folder, 'stream.h264');
  const input = ['-rtsp_transport', 'tcp', '-i', capture.url];
  await run('ffmpeg', ['-v', 'error', '-nostdin', ...input, '-t', '3', '-c', 'copy', '-f', 'h264', file]);
  const latest = { monotonicNs: monotonicNowNs(), wallUs: wallNowUs() + 1000n }; // it counts milliseconds

  const units = splitByteStream(readFileSync(file));
  const counted = await run('ffprobe', [
    '-v',
    'error',
    '-count_frames',
    '-show_entries',
    'stream=nb_read_frames,width,height',
    '-of',
    'json',
    file,
  ]);
  const [stream] = JSON.parse(counted.stdout).streams;
  expect(stream).toMatchObject({ width: 322, height: 180 });
  expect(units).toHaveLength(Number(stream.nb_read_frames));
  expect(units.length).toBeGreaterThan(2 * FPS);

  const all = units.map(metadataOf);
  for (const metadata of all) {
    expect(metadata).toMatchObject({ source, plan: 'p4', clockId: clockId() });
    expect(metadata.capturedMonotonicNs).toBeGreaterThan(earliest.monotonicNs);
    expect(metadata.capturedMonotonicNs).toBeLessThan(latest.monotonicNs);
    expect(metadata.capturedWallUs).toBeGreaterThan(earliest.wallUs);
    expect(metadata.capturedWallUs).toBeLessThan(latest.wallUs);
    // The two clocks tell the same moment, to some milliseconds.
    const behind = Number(metadata.capturedWallUs - earliest.wallUs) / 1e3;
    expect(Math.abs(behind - Number(metadata.capturedMonotonicNs - earliest.monotonicNs) / 1e6)).toBeLessThan(20);
  }
  const numbers = all.map((metadata) => metadata.frameNumber);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  const times = all.map((metadata) => metadata.capturedMonotonicNs);
  expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0n))).toBe(true);
});
