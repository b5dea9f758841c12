import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CapError } from '../../../src/core/index.js';
import { serveCapture } from '../../support/capture.js';
import { startDisplay } from '../../support/display.js';
import { buildLibrary } from '../../support/library.js';
import { run } from '../../support/process.js';
import { RtspPlayer } from '../../support/rtsp-player.js';

const FPS = 30;
/** Milliseconds of video in one fragment, which is what a crash may cost. */
const FRAGMENT_MS = 500;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-record-'));
  file = join(folder, 'out.mp4');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface VideoFacts {
  readonly nb_frames?: string;
  readonly nb_read_frames: string;
  readonly duration?: string;
  readonly width: number;
}

/** Decodes the whole file: any error in it fails. */
async function videoFacts(path: string): Promise<VideoFacts> {
  const entries = 'stream=nb_frames,nb_read_frames,duration,width';
  const { stdout, stderr } = await run('ffprobe', [
    '-v',
    'error',
    '-count_frames',
    '-show_entries',
    entries,
    '-of',
    'json',
    path,
  ]);
  expect(stderr).toBe('');
  return JSON.parse(stdout).streams[0];
}

/** The kinds of the file's outermost boxes (ISO/IEC 14496-12). */
function boxes(path: string): string[] {
  const bytes = readFileSync(path);
  const kinds: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    kinds.push(bytes.toString('latin1', at + 4, at + 8));
    const size = bytes.readUInt32BE(at);
    at += size === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : size || bytes.length;
  }
  return kinds;
}

test('a closed recording is a plain MP4 with every frame, from the encode that readers share', async () => {
  await using capture = await serveCapture({ fps: FPS });
  await using reader = await RtspPlayer.overTcp(capture.url);
  const recorder = await capture.session.record(file);
  const before = capture.session.stats;
  await vi.waitFor(() => expect(recorder.stats.delivered).toBeGreaterThanOrEqual(2 * FPS), { timeout: 20_000 });
  await recorder.close();
  const { framesCaptured, framesEncoded } = capture.session.stats;
  expect(Math.abs(framesEncoded - before.framesEncoded - (framesCaptured - before.framesCaptured))).toBeLessThan(5);
  expect(reader.units.length).toBeGreaterThan(FPS);

  const { delivered, dropped } = recorder.stats;
  const video = await videoFacts(file);
  expect(Number(video.nb_frames)).toBe(delivered);
  expect(Number(video.nb_read_frames)).toBe(delivered);
  expect(dropped).toBe(0);
  expect(Number(video.duration)).toBeCloseTo(delivered / FPS, 0);
  expect(boxes(file)).toContain('moov');
  expect(boxes(file)).not.toContain('moof');
});

test('a recording of a still screen lasts until it is closed', async () => {
  await using display = await startDisplay({ widthPx: 320, heightPx: 240 });
  await using capture = await serveCapture({ source: { kind: 'screen', display: display.name, keepAliveMs: 60_000 } });
  const recorder = await capture.session.record(file);
  await vi.waitFor(() => expect(recorder.stats.delivered).toBeGreaterThan(0), { timeout: 20_000 });
  const startedMs = performance.now();
  await sleep(1500); // nothing happens, and this is how long
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  await recorder.close();
  const { duration } = await videoFacts(file);
  expect(Number(duration)).toBeGreaterThanOrEqual(elapsedSeconds - 0.1);
  expect(Number(duration)).toBeLessThan(elapsedSeconds + 3);
});

test('a recording plays after its process was killed', async () => {
  await using library = await buildLibrary();
  await using recording = await library.run(
    `import { CaptureSession } from '$lib/session/index.js';
    const session = await CaptureSession.open({ source: { kind: 'test', size: { width: 320, height: 240 } }, fps: ${FPS} });
    const recorder = await session.record(process.argv[2]);
    setInterval(() => console.log('delivered ' + recorder.stats.delivered), 50);`,
    file,
  );
  const [, seen] = await recording.waitForOutput(/delivered (6\d|[7-9]\d|\d{3,})\n/);
  recording.signal('SIGKILL');
  expect(await recording.waitForExit()).toMatchObject({ signal: 'SIGKILL' });
  expect(boxes(file)).toContain('moof'); // it was never finished
  const video = await videoFacts(file);
  // One fragment may have been under way, and another in the muxer.
  const lost = (2 * FRAGMENT_MS * FPS) / 1000;
  expect(Number(video.nb_read_frames)).toBeGreaterThanOrEqual(Number(seen) - lost);
});

test('a full disk ends the recording with an error, and nothing else', async () => {
  await run('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'cap-test', folder]);
  const { session, url } = await serveCapture({ fps: FPS, encoder: { crf: 1 } });
  try {
    await using reader = await RtspPlayer.overTcp(url);
    const recorder = await session.record(file);
    const failure = await new Promise<CapError>((resolve) => recorder.on('failed', resolve));
    expect(failure).toMatchObject({
      code: 'CAP_OUTPUT_FAILED',
      message: expect.stringContaining(file),
      hint: expect.stringContaining('disk'),
    });
    await reader.waitForUnits(FPS);
    await expect(recorder.close()).rejects.toBe(failure);
    expect(Number((await videoFacts(file)).nb_read_frames)).toBeGreaterThan(0);
    await reader.waitForUnits(FPS / 2);
  } finally {
    await session.close().catch((error: CapError) => expect(error.code).toBe('CAP_OUTPUT_FAILED'));
    await run('umount', ['--lazy', folder]);
  }
});

test('a place that cannot be written is refused before anything is recorded', async () => {
  await using capture = await serveCapture();
  const refused = { code: 'CAP_OUTPUT_FAILED', hint: expect.any(String) };
  const missing = join(folder, 'no-such-folder', 'out.mp4');
  await expect(capture.session.record(missing)).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining(missing),
  });
  await expect(capture.session.record(folder)).rejects.toMatchObject(refused);
  await expect(capture.session.record('/dev/null')).rejects.toMatchObject(refused);
});
