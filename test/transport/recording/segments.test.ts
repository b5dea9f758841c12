import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Mp4Recorder } from '../../../src/transport/index.js';
import { serveCapture } from '../../support/capture.js';
import { startDisplay } from '../../support/display.js';
import { startPainter } from '../../support/painter.js';
import { run } from '../../support/process.js';
import { type Recorded, readRecorded } from '../../support/recorded-file.js';
import { startResizableDisplay } from '../../support/resizable-display.js';
import { RtspPlayer } from '../../support/rtsp-player.js';
import { startSoundServer } from '../../support/sound-server.js';

let folder: string;
let template: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-segments-'));
  template = join(folder, '%Y%m%d-%H%M%S.mp4');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LONG = { timeout: 30_000 };
const files = (): string[] => readdirSync(folder).sort();
const recorded = (): Promise<Recorded[]> => Promise.all(files().map((name) => readRecorded(join(folder, name))));

async function untilSegments(recorder: Mp4Recorder, count: number): Promise<void> {
  await vi.waitFor(() => expect(recorder.stats.segments).toBeGreaterThanOrEqual(count), LONG);
}

/** What the segments say of their frames, in order. */
const numbers = (segments: readonly Recorded[]): number[] =>
  segments.flatMap(({ captured }) => captured.map(({ frameNumber }) => frameNumber));

/** Whether each number is one more than the one before. */
const consecutive = (list: readonly number[]): boolean =>
  list.every((number, index) => number === (list[0] ?? 0) + index);

test('every picture is in exactly one segment, cut on time at a key frame in spite of a long GOP', async () => {
  await using capture = await serveCapture({ encoder: { gopSeconds: 60 } });
  const recorder = await capture.session.record(template, { segmentMs: 1500 });
  const finished: string[] = [];
  recorder.on('finished', (path) => finished.push(path));
  await untilSegments(recorder, 4);
  await recorder.close();
  const segments = await recorded();
  expect(finished).toEqual(files().map((name) => join(folder, name)));
  expect(segments).toHaveLength(recorder.stats.segments);
  expect(consecutive(numbers(segments))).toBe(true);
  expect(numbers(segments)).toHaveLength(recorder.stats.delivered);
  for (const { pictures } of segments) {
    expect(pictures[0]).toMatchObject({ seconds: 0, key: true });
    expect(pictures.at(-1)?.seconds).toBeLessThan(3);
  }
  for (const { pictures } of segments.slice(0, -1)) expect(pictures.at(-1)?.seconds).toBeGreaterThan(1.4);
});

test('all sound is in exactly one segment, beside its pictures', async () => {
  await using sound = await startSoundServer('pulseaudio');
  vi.stubEnv('PULSE_SERVER', sound.env.PULSE_SERVER);
  try {
    await using capture = await serveCapture({ audio: { output: true } });
    const recorder = await capture.session.record(template, { segmentMs: 1500 });
    await untilSegments(recorder, 4);
    await recorder.close();
    // The first has the sound from its first picture on, the last one that up to its last.
    const starts = (await recorded()).map(({ sound: packets, pictures, captured }) => {
      expect(packets.length).toBeGreaterThan(0);
      for (const [index, { seconds }] of packets.entries()) {
        expect(seconds).toBeCloseTo((packets[0]?.seconds ?? 0) + index * 0.02, 2);
      }
      expect(packets[0]?.seconds).toBeLessThan(0.05);
      const beginNs = Number(captured[0]?.capturedMonotonicNs);
      expect(packets.at(-1)?.seconds).toBeLessThan((pictures.at(-1)?.seconds ?? 0) + 0.3);
      return { first: beginNs / 1e9 + (packets[0]?.seconds ?? 0), count: packets.length };
    });
    for (const [index, { first, count }] of starts.slice(0, -1).entries()) {
      // Where one ends the next one goes on, to the packet.
      expect(Math.abs(first + count * 0.02 - (starts[index + 1]?.first ?? 0))).toBeLessThan(0.01);
    }
  } finally {
    vi.unstubAllEnvs();
  }
});

test('a segment ends when it is large enough', async () => {
  await using capture = await serveCapture({
    source: { kind: 'test', pattern: 'noise', size: { width: 320, height: 240 } },
    encoder: { crf: 10, gopSeconds: 60 },
  });
  const recorder = await capture.session.record(template, { segmentBytes: 1e6 });
  await untilSegments(recorder, 3);
  await recorder.close();
  const segments = await recorded();
  expect(consecutive(numbers(segments))).toBe(true);
  expect(recorder.stats.bytes).toBeGreaterThan(2e6);
});

test('a screen that is resized goes on in another segment', async () => {
  await using display = await startResizableDisplay();
  await using capture = await serveCapture({ source: { kind: 'screen', display: display.name } });
  const recorder = await capture.session.record(template, { segmentMs: 60_000 });
  await vi.waitFor(() => expect(recorder.stats.delivered).toBeGreaterThan(3), LONG);
  await display.resize(800, 600);
  await untilSegments(recorder, 2);
  await vi.waitFor(() => expect(files()).toHaveLength(2), LONG);
  await recorder.close();
  const sizes = (await recorded()).map(({ captured }) =>
    captured.map(({ source }) => `${source.width}x${source.height}`),
  );
  expect(sizes.map((of) => new Set(of).size)).toEqual([1, 1]);
  expect(sizes[1]?.[0]).toBe('800x600');
});

test('what is there already is not written over', async () => {
  await using capture = await serveCapture();
  const taken = [0, 1, 2, 3].map((after) => join(folder, `${Math.floor(Date.now() / 1000) + after}.mp4`));
  for (const path of taken) writeFileSync(path, 'mine');
  const recorder = await capture.session.record(join(folder, '%s.mp4'), { segmentMs: 60_000 });
  await vi.waitFor(() => expect(files().some((name) => /^\d+_2\.mp4$/.test(name))).toBe(true), LONG);
  await recorder.close();
  for (const path of taken) expect((await run('cat', [path])).stdout).toBe('mine');
});

test('records while the screen changes, from before the change until it has stood still', async () => {
  await using display = await startDisplay({ widthPx: 320, heightPx: 240 });
  await using painter = await startPainter(display);
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, keepAliveMs: 300, cursor: false },
    encoder: { gopSeconds: 1 },
  });
  const recorder = await capture.session.record(template, { onChangeMs: 1000, preRollMs: 1500 });
  const began: string[] = [];
  const finished: string[] = [];
  recorder.on('began', (path) => began.push(path));
  recorder.on('finished', (path) => finished.push(path));
  const { accessUnits } = capture.session.stream.stats;
  // 30 at the frame rate, as a recorder joins, and then 8 at the keep-alive's: longer than the pre-roll.
  await vi.waitFor(() => expect(capture.session.stream.stats.accessUnits).toBeGreaterThan(accessUnits + 38), LONG);
  expect(began).toEqual([]); // nothing has changed
  const changes: bigint[] = [];
  for (const round of [1, 2]) {
    changes.push(process.hrtime.bigint());
    await painter.char(10 * round, 10, 'x');
    await vi.waitFor(() => expect(finished).toHaveLength(round), LONG);
  }
  await recorder.close();
  expect(finished).toHaveLength(2);
  const segments = await recorded();
  expect(consecutive(numbers(segments))).toBe(true);
  for (const [index, { captured }] of segments.entries()) {
    const change = captured.findIndex(({ damage }) => damage === undefined || damage.length > 0);
    const secondsFrom = (frame = captured[0]) =>
      Number((frame?.capturedMonotonicNs ?? 0n) - (changes[index] ?? 0n)) / 1e9;
    expect(change).toBeGreaterThan(0);
    if (index === 0) expect(secondsFrom()).toBeLessThan(-1.4);
    expect(secondsFrom(captured.at(-1))).toBeGreaterThan(0.9);
    expect(secondsFrom(captured.at(-1))).toBeLessThan(5);
  }
});

test('a disk that fills up loses the oldest segments, and recording goes on', async () => {
  await run('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'cap-test', folder]);
  const capture = await serveCapture({
    source: { kind: 'test', pattern: 'noise', size: { width: 320, height: 240 } },
    encoder: { crf: 10 },
  });
  try {
    await using reader = await RtspPlayer.overTcp(capture.url);
    const recorder = await capture.session.record(template, { segmentMs: 1000, retainMs: 3_600_000 });
    const began: string[] = [];
    const removed: string[] = [];
    recorder.on('began', (path) => began.push(path));
    recorder.on('removed', (path) => removed.push(path));
    await vi.waitFor(() => expect(removed.length).toBeGreaterThan(2), { timeout: 50_000 });
    const { segments } = recorder.stats;
    await untilSegments(recorder, segments + 2);
    await reader.waitForUnits(30);
    await recorder.close();
    expect(removed).toEqual(began.slice(0, removed.length));
    for (const file of await recorded()) expect(file.pictures.length).toBeGreaterThan(0);
  } finally {
    await capture.session.close();
    await run('umount', ['--lazy', folder]);
  }
});
