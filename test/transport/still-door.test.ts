import { expect, test, vi } from 'vitest';
import { monotonicNowNs } from '../../src/core/index.js';
import { CaptureSession, type CaptureSessionOptions } from '../../src/session/index.js';
import { StillDoor } from '../../src/transport/index.js';
import { testPicture } from '../support/capture.js';
import { freePort } from '../support/port.js';
import { start } from '../support/process.js';
import { program } from '../support/programs.js';

const PATIENCE = { timeout: 20_000 };
const ANY_AGE = { maxAgeMs: 60_000 };

async function openStills(options: CaptureSessionOptions = {}) {
  const session = await CaptureSession.open({ source: testPicture(), ...options });
  const door = new StillDoor(session.stream);
  const close = async (): Promise<void> => {
    await door.close();
    await session.close();
  };
  return { session, door, [Symbol.asyncDispose]: close };
}

const unitsKept = (door: StillDoor, count: number) =>
  vi.waitFor(() => expect(door.stats.units).toBeGreaterThanOrEqual(count), PATIENCE);

test('nothing is decoded until somebody asks, and then only what is new', async () => {
  await using stills = await openStills();
  const { door } = stills;
  await unitsKept(door, 20);
  expect(door.stats.decoded).toBe(0);
  const first = await door.take(ANY_AGE);
  expect(first).toMatchObject({ width: 320, height: 240, metadata: { plan: 'source' } });
  expect(first.data).toHaveLength(320 * 240 * 3);
  const { decoded } = door.stats;
  await unitsKept(door, door.stats.units + 5);
  const second = await door.take(ANY_AGE);
  // What lies between them, or from a key frame that came meanwhile.
  expect(door.stats.decoded - decoded).toBeLessThanOrEqual(second.number - first.number);
});

test('those who want the same picture share its decoding', async () => {
  await using stills = await openStills({ fps: 1 });
  const { door } = stills;
  await unitsKept(door, 1);
  const taken = await Promise.all(Array.from({ length: 8 }, () => door.take(ANY_AGE)));
  expect(new Set(taken.map(({ number }) => number)).size).toBe(1);
  expect(new Set(taken.map(({ data }) => data)).size).toBe(1);
  expect(door.stats.decoded).toBeLessThanOrEqual(taken[0]?.number ?? 0);
});

test('a picture of now is captured after the call; of the GOP before it nothing is decoded', async () => {
  await using stills = await openStills({ encoder: { gopSeconds: 600 } });
  const { door } = stills;
  await unitsKept(door, 60);
  const askedNs = monotonicNowNs();
  const { metadata } = await door.take({ maxAgeMs: 5000, agoMs: 0 });
  expect(metadata?.capturedMonotonicNs).toBeGreaterThan(askedNs);
  expect(door.stats.decoded).toBeLessThan(60);
});

test('a picture of the past is the newest that there was', async () => {
  await using stills = await openStills();
  const { door } = stills;
  await unitsKept(door, 60);
  const before = monotonicNowNs();
  const { metadata, ageMs } = await door.take({ maxAgeMs: 1000, agoMs: 800 });
  expect(ageMs()).toBeGreaterThanOrEqual(800);
  const then = before - 800_000_000n;
  const apart = Number((metadata?.capturedMonotonicNs ?? 0n) - then) / 1e6;
  // A frame at 30 fps, and what a busy machine adds; never one from before.
  expect(apart).toBeGreaterThan(-1000);
  await expect(door.take({ maxAgeMs: 1000, agoMs: 9999 })).rejects.toMatchObject({ code: 'CAP_FRAME_UNAVAILABLE' });
});

test('what is kept stays within its time, whole GOPs', async () => {
  await using stills = await openStills({ fps: 60, encoder: { gopSeconds: 1 } });
  const { door } = stills;
  const reachMs = () => Number(monotonicNowNs() - (door.stats.oldestMonotonicNs ?? monotonicNowNs())) / 1e6;
  await vi.waitFor(() => expect(reachMs()).toBeGreaterThan(10_500), { timeout: 30_000 });
  const { oldestMonotonicNs } = door.stats;
  await vi.waitFor(() => expect(door.stats.oldestMonotonicNs).not.toBe(oldestMonotonicNs), PATIENCE);
  expect(await door.take({ maxAgeMs: 2000, agoMs: 10_000 })).toMatchObject({ width: 320 });
});

test('pictures of a camera whose stream has B frames', async () => {
  const port = await freePort();
  const source = 'videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=30/1';
  const coder = 'x264enc bframes=3 b-adapt=false key-int-max=30 rc-lookahead=0 sync-lookahead=0 sliced-threads=true';
  const camera = start(await program('peer_server'), [`${port}`, `( ${source} ! ${coder} ! rtph264pay name=pay0 )`]);
  try {
    await camera.waitForOutput(/rtsp:\S+/);
    await using stills = await openStills({ source: { kind: 'rtsp', url: `rtsp://127.0.0.1:${port}/cap` } });
    expect(stills.session.passesOn).toBe(true);
    await unitsKept(stills.door, 40);
    const one = await stills.door.take(ANY_AGE);
    await unitsKept(stills.door, stills.door.stats.units + 20);
    const other = await stills.door.take(ANY_AGE);
    expect(other.number).toBeGreaterThan(one.number);
    expect(other.data.equals(one.data)).toBe(false);
  } finally {
    await camera.close();
  }
});

test('after closing', async () => {
  await using stills = await openStills();
  const waiting = stills.door.take({ maxAgeMs: 5000, agoMs: 0 });
  const outcome = expect(Promise.allSettled([waiting])).resolves.toHaveLength(1);
  await stills.door.close();
  await outcome;
  await expect(stills.door.take(ANY_AGE)).rejects.toMatchObject({ code: 'CAP_CLOSED' });
});
