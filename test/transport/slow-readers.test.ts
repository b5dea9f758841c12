import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RtspServer } from '../../src/transport/index.js';
import type { AccessUnit } from '../support/access-units.js';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import type { RunningProcess } from '../support/process.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { showClock } from '../support/screen.js';
import { metadataOf } from '../support/unit-metadata.js';

// A picture whose every frame is large, so that the buffers of a reader that takes nothing are soon full.
const SIZE = { widthPx: 1280, heightPx: 720 };
const FPS = 15;
const RTP_HZ = 90_000;

let display: TestDisplay;
let clock: RunningProcess;
let capture: ServedCapture | undefined;

beforeEach(async () => {
  display = await startDisplay(SIZE);
  clock = await showClock(display, { ...SIZE, mode: 'full' });
});

afterEach(async () => {
  await capture?.[Symbol.asyncDispose]();
  await clock.close();
  await display.close();
});

async function serve(maxStallMs: number): Promise<ServedCapture> {
  capture = await serveCapture({
    source: { kind: 'screen', display: display.name },
    fps: FPS,
    encoder: { gopSeconds: 60, crf: 12 },
    rtsp: { maxStallMs },
  });
  return capture;
}

/** What the server says about its readers, in order. */
function record(server: RtspServer): string[] {
  const events: string[] = [];
  server.on('readerJoined', () => events.push('joined'));
  server.on('readerBehind', () => events.push('behind'));
  server.on('readerResumed', () => events.push('resumed'));
  server.on('readerLeft', (_, reason) => events.push(reason));
  return events;
}

async function waitFor(events: readonly string[], last: string): Promise<void> {
  await vi.waitFor(() => expect(events.at(-1)).toBe(last), { timeout: 30_000, interval: 10 });
}

const frameNumbers = (units: readonly AccessUnit[]): number[] => units.map(({ data }) => metadataOf(data).frameNumber);

/** 1 for every frame that is followed by the next one. */
const steps = (numbers: readonly number[]): number[] =>
  numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0));

test('a sole reader that takes nothing holds up neither capture nor encoder, and is closed', async () => {
  const { session, server, url } = await serve(1500);
  const events = record(server);
  await using reader = await RtspPlayer.overTcp(url);
  await reader.waitForUnits(5);
  reader.client.stopReading();
  const before = { encoded: session.stats.framesEncoded, timeMs: performance.now() };
  await waitFor(events, 'stalled');
  expect(events).toEqual(['joined', 'behind', 'stalled']);
  // A frozen pipeline would have made a frame or two; a loaded machine may skip some.
  const seconds = (performance.now() - before.timeMs) / 1000;
  const encoded = session.stats.framesEncoded - before.encoded;
  expect(encoded / seconds).toBeGreaterThan(FPS / 2);
  expect(encoded / seconds).toBeLessThan(FPS * 1.2);
  expect(server.stats).toMatchObject({ readers: [], readersDropped: 1, cutOffs: 1, accessUnitsDropped: 0 });
  reader.client.resumeReading(); // what the kernel still holds, and then the end
  await reader.client.closed;
});

test('a reader beside a stalled one gets every frame', async () => {
  const { server, url } = await serve(1500);
  await using healthy = await RtspPlayer.overTcp(url);
  await using stalled = await RtspPlayer.overTcp(url);
  const events = record(server);
  await stalled.waitForUnits(5);
  await healthy.waitForUnits(1);
  const from = healthy.units.length;
  stalled.client.stopReading();
  await waitFor(events, 'stalled');
  await healthy.waitForUnits(FPS);
  const numbers = frameNumbers(healthy.units.slice(from));
  expect(numbers.length).toBeGreaterThan(2 * FPS);
  expect(new Set(steps(numbers))).toEqual(new Set([1]));
  expect(healthy.incompleteUnits).toBe(0);
  expect(server.stats.readers).toMatchObject([{ behind: false, cutOffs: 0 }]);
});

test('a reader that takes up reading again goes on at a key frame, on the same timeline', async () => {
  const { session, server, url } = await serve(60_000);
  await using reader = await RtspPlayer.overTcp(url);
  const events = record(server);
  await reader.waitForUnits(FPS);
  reader.client.stopReading();
  await waitFor(events, 'behind');
  expect(server.stats.readers).toMatchObject([{ behind: true, cutOffs: 1 }]);
  const encoded = session.stats.framesEncoded;
  await vi.waitFor(() => expect(session.stats.framesEncoded).toBeGreaterThan(encoded + FPS), { timeout: 10_000 });
  reader.client.resumeReading();
  await waitFor(events, 'resumed');
  await reader.waitForUnits(FPS);
  expect(server.stats.readers).toMatchObject([{ behind: false, cutOffs: 1 }]);

  const firstKey = reader.units.findIndex((unit) => unit.key);
  const units = reader.units.slice(firstKey);
  const numbers = frameNumbers(units);
  const gaps = steps(numbers).flatMap((step, index) => (step === 1 ? [] : [index + 1]));
  expect(gaps).toHaveLength(1);
  const [resumedAt = 0] = gaps;
  expect(units[resumedAt]?.key).toBe(true);
  expect(steps(numbers)[resumedAt - 1]).toBeGreaterThan(FPS);

  const first = units[0] as AccessUnit;
  const startNs = metadataOf(first.data).capturedMonotonicNs;
  for (const unit of units) {
    const capturedMs = Number(metadataOf(unit.data).capturedMonotonicNs - startNs) / 1e6;
    // On a busy machine frames can come so close that the door moves one on, so that no two have one time.
    expect(Math.abs(((unit.rtpTime - first.rtpTime) / RTP_HZ) * 1000 - capturedMs)).toBeLessThan(2);
  }
  expect(Math.min(...steps(units.map((unit) => unit.rtpTime)))).toBeGreaterThan(0);
});
