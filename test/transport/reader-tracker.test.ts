import { expect, test } from 'vitest';
import { type ReaderReport, ReaderTracker } from '../../src/transport/index.js';

const SENT = { kbps: 2000, boundKbps: 4000 };
const NOBODY = { id: 'rtsp 1', path: '/cap', isLocal: false };
const udp = (highestSequence: number, packetsLost: number, jitterMs = 0): ReaderReport => ({
  ...NOBODY,
  rtcp: { highestSequence, packetsLost, jitterMs },
});
const tcp = (acknowledgedBytes: number, backlogBytes = 0, drops = 0): ReaderReport => ({
  ...NOBODY,
  acknowledgedBytes,
  backlogBytes,
  drops,
});

test('over UDP, loss is that since the report before, whenever that came', () => {
  const tracker = new ReaderTracker();
  expect(tracker.update(1, NOBODY, SENT)).toBeUndefined();
  expect(tracker.update(2, udp(1000, 50), SENT)).toBeUndefined(); // it may have lost them before it played
  expect(tracker.update(3, udp(1000, 50), SENT)).toBeUndefined();
  expect(tracker.update(4, udp(1400, 150), SENT)).toEqual({
    congestion: expect.closeTo(0.25 / 0.03),
    delivered: 0.75,
    arrived: 0.75 / 2,
    measuredFrom: 2,
    cameAt: 4,
  });
  expect(tracker.update(5, udp(1500, 150), SENT)).toMatchObject({ congestion: 0, delivered: 1, measuredFrom: 4 });
});

test('few packets tell nothing, and duplicates are no loss below zero', () => {
  const tracker = new ReaderTracker();
  tracker.update(1, udp(1000, 0), SENT);
  expect(tracker.update(2, udp(1010, 5), SENT)).toBeUndefined();
  expect(tracker.update(3, udp(1100, -20), SENT)).toMatchObject({ congestion: 0, delivered: 1, measuredFrom: 1 });
});

test('jitter keeps from trying for more, but is no congestion', () => {
  const tracker = new ReaderTracker();
  tracker.update(1, udp(1000, 0), SENT);
  const { congestion = 0 } = tracker.update(2, udp(1100, 0, 5000), SENT) ?? {};
  expect(congestion).toBeGreaterThan(1 / 3);
  expect(congestion).toBeLessThan(1);
});

test('a connection that its reader takes for smaller than what is sent is congested', () => {
  const tracker = new ReaderTracker();
  tracker.update(1, udp(1000, 0), SENT);
  expect(tracker.update(2, { ...udp(1100, 0), estimateKbps: 1000 }, SENT)).toMatchObject({
    congestion: 1,
    delivered: 0.5,
    arrived: 0.25,
  });
  expect(tracker.update(3, { ...udp(1200, 0), estimateKbps: 3000 }, SENT)).toMatchObject({ congestion: 0 });
});

test('over TCP, it is what waits in the connection, and GOPs that were dropped', () => {
  const tracker = new ReaderTracker();
  expect(tracker.update(1, tcp(100_000), SENT)).toBeUndefined();
  expect(tracker.update(2, tcp(350_000), SENT)).toMatchObject({ congestion: 0, delivered: 1 });
  // 1000 kbit/s arrive, and 125 kB wait: a second.
  const behind = tracker.update(3, tcp(475_000, 125_000), SENT);
  expect(behind).toMatchObject({ congestion: expect.closeTo(2), delivered: 0.5, arrived: 0.25, cameAt: 3 });
  expect(tracker.update(4, tcp(725_000, 0, 1), SENT)).toMatchObject({ congestion: 2 });
  expect(tracker.update(5, tcp(975_000, 0, 1), SENT)).toMatchObject({ congestion: 0 });
});

test('who has not reported for long is not heard', () => {
  const tracker = new ReaderTracker();
  tracker.update(1, udp(1000, 0), SENT);
  tracker.update(2, udp(1100, 50), SENT);
  expect(tracker.update(10, udp(1100, 50), SENT)).toMatchObject({ cameAt: 2 });
  expect(tracker.update(18, udp(1100, 50), SENT)).toBeUndefined();
});
