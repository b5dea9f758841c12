import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/index.js';
import { CaptureSession, StillDoor } from '../../src/session/index.js';
import { type ServedCapture, type ServedCaptureOptions, serveCapture, testPicture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { probe } from '../support/media-clients.js';
import { startResizableDisplay } from '../support/resizable-display.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { showPicture } from '../support/screen.js';
import { metadataOf } from '../support/unit-metadata.js';

const LONG = { timeout: 20_000 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-demand-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const serve = (options: ServedCaptureOptions = {}): Promise<ServedCapture> =>
  serveCapture({ onDemand: true, lingerMs: 100, ...options });

const rests = ({ session }: ServedCapture): Promise<void> => vi.waitFor(() => expect(session.resting).toBe(true), LONG);

/** Nothing is captured any more: two readings, some frame intervals apart, agree. */
async function expectStill({ session }: ServedCapture): Promise<void> {
  const { framesCaptured } = session.stats;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(session.stats.framesCaptured).toBe(framesCaptured);
}

test('nothing is captured while nobody watches, and each first reader starts with a key frame of now', async () => {
  await using capture = await serve();
  for (let round = 0; round < 3; round++) {
    await rests(capture);
    await expectStill(capture);
    const restedNs = process.hrtime.bigint();
    await using reader = await RtspPlayer.overTcp(capture.url);
    await reader.waitForUnits(10);
    expect(reader.units[0]?.key).toBe(true);
    expect(metadataOf((reader.units[0] as { data: Buffer }).data).capturedMonotonicNs).toBeGreaterThan(restedNs);
    expect(capture.session.resting).toBe(false);
    const numbers = reader.units.map((unit) => metadataOf(unit.data).frameNumber);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  }
});

test('it goes on for those who are there, whoever else leaves', async () => {
  await using capture = await serve({ lingerMs: 0 });
  await using stays = await RtspPlayer.overTcp(capture.url);
  for (let round = 0; round < 20; round++) {
    const reader = await RtspPlayer.overTcp(capture.url);
    await (round % 2 ? reader.teardown() : reader.client.destroy());
  }
  await stays.waitForUnits(30);
  const numbers = stays.units.map((unit) => metadataOf(unit.data).frameNumber);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
});

test('readers who come and go at any moment find it awake', async () => {
  await using capture = await serve({ lingerMs: 0 });
  for (let round = 0; round < 15; round++) {
    await using reader = await RtspPlayer.overTcp(capture.url);
    await reader.waitForUnits(1 + (round % 3));
  }
  await rests(capture);
});

test('a recording is a watcher', async () => {
  await using capture = await serve({ lingerMs: 0 });
  await rests(capture);
  const file = join(folder, 'out.mp4');
  const recorder = await capture.session.record(file);
  await vi.waitFor(() => expect(recorder.stats.delivered).toBeGreaterThan(20), LONG);
  await recorder.close();
  await rests(capture);
  expect(await probe(file)).toMatchObject({ widthPx: 320, heightPx: 240 });
});

test('a snapshot wakes it, and shows what is there now', async () => {
  await using capture = await serve();
  const stills = new StillDoor(capture.session.stream);
  for (let round = 0; round < 2; round++) {
    await rests(capture);
    const before = process.hrtime.bigint();
    const still = await stills.take({ maxAgeMs: 1000, agoMs: 0 });
    expect(still.metadata?.capturedMonotonicNs).toBeGreaterThan(before);
  }
  await rests(capture);
  await stills.close();
});

test('a screen is shown as it is now, not as it was when the last reader left', async () => {
  await using display = await startDisplay({ widthPx: 320, heightPx: 240 });
  const filled = (red: number) => {
    const rgb = Buffer.alloc(320 * 240 * 3);
    for (let at = 0; at < rgb.length; at += 3) rgb[at] = red;
    return { widthPx: 320, heightPx: 240, rgb };
  };
  await using window = await showPicture(display, filled(0));
  await using capture = await serve({ source: { kind: 'screen', display: display.name, cursor: false } });
  for (const red of [200, 90]) {
    await rests(capture);
    await window.show(filled(red));
    const sampler = new Sampler(capture.url);
    const frame = await sampler.next();
    await sampler.close();
    // H.264 of a plain colour is off by a few steps.
    expect(Math.abs((frame.data[0] ?? 0) - red)).toBeLessThan(12);
  }
});

test('a screen that was resized meanwhile comes back in its new size', async () => {
  await using display = await startResizableDisplay();
  await display.resize(800, 600);
  await using capture = await serve({ source: { kind: 'screen', display: display.name } });
  await rests(capture);
  await display.resize(640, 480);
  const sampler = new Sampler(capture.url);
  expect(await sampler.next()).toMatchObject({ width: 640, height: 480 });
  await sampler.close();
});

test('a display that goes away meanwhile is told', async () => {
  const display = await startDisplay({ widthPx: 320, heightPx: 240 });
  await using capture = await serve({ source: { kind: 'screen', display: display.name } });
  const failed = new Promise<string>((resolve) => capture.session.on('failed', (error) => resolve(error.code)));
  await rests(capture);
  await display.close();
  expect(await failed).toBe('CAP_SOURCE_LOST');
});

test('a camera is let go while nobody watches, and pulled again', async () => {
  await using camera = await serveCapture({ source: testPicture() });
  await using capture = await serve({ source: { kind: 'rtsp', url: camera.url } });
  expect(capture.session.passesOn).toBe(true);
  for (let round = 0; round < 2; round++) {
    await rests(capture);
    await vi.waitFor(() => expect(camera.server.stats.readers).toEqual([]), LONG);
    await using reader = await RtspPlayer.overTcp(capture.url);
    await reader.waitForUnits(10);
    expect(camera.server.stats.readers).toHaveLength(1);
  }
});

test('closing it while it rests, wakes up or falls asleep is clean', async () => {
  for (const waitMs of [0, 1, 5, 20]) {
    const resting = await serve({ lingerMs: 0 });
    await rests(resting);
    await resting.session.close();
    const waking = await serve({ lingerMs: 0 });
    await rests(waking);
    await using reader = await RtspPlayer.overTcp(waking.url);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await waking.session.close();
    await reader.client.closed;
  }
});

test('a wrong linger is refused', async () => {
  await expect(CaptureSession.open({ source: testPicture(), lingerMs: -1 })).rejects.toThrow(
    'expected a whole number from 0 to 3600000 for lingerMs',
  );
});
