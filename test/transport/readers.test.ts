import { expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { closeAll } from '../../src/core/index.js';
import { serveCapture, testPicture } from '../support/capture.js';
import { ffmpegFrames, gstreamerFrames, vlcPictures } from '../support/media-clients.js';
import { readProcessUsage } from '../support/process-usage.js';
import { RtspPlayer, SilentUdpPlayer } from '../support/rtsp-player.js';

const FPS = 30;

test('five readers over TCP and UDP share one capture and one encoder', async () => {
  await using capture = await serveCapture({ fps: FPS });
  const { session, server, url } = capture;
  const samplers = (['tcp', 'udp', 'tcp', 'udp', 'tcp'] as const).map((protocol) => new Sampler(url, { protocol }));
  try {
    await Promise.all(samplers.map((sampler) => sampler.next()));
    const before = session.stats;
    const goals = samplers.map((sampler) => sampler.framesSeen + 2 * FPS);
    await vi.waitFor(
      () => {
        for (const [index, goal] of goals.entries()) expect(samplers[index]?.framesSeen).toBeGreaterThan(goal);
      },
      { timeout: 20_000 },
    );
    const { framesCaptured, framesEncoded } = session.stats;
    expect(framesEncoded - before.framesEncoded).toBeGreaterThan(FPS);
    // Each captured frame was encoded once: five encoders would have made five times as many.
    expect(Math.abs(framesEncoded - before.framesEncoded - (framesCaptured - before.framesCaptured))).toBeLessThan(5);
    expect(server.stats.readers.map((reader) => reader.protocol).sort()).toEqual(['tcp', 'tcp', 'tcp', 'udp', 'udp']);
    expect(server.stats).toMatchObject({ cutOffs: 0, readersDropped: 0, accessUnitsDropped: 0 });
  } finally {
    await closeAll(samplers);
  }
  await vi.waitFor(() => expect(server.stats.readers).toEqual([]), { timeout: 10_000 });
});

test('more readers take no more threads', async () => {
  await using capture = await serveCapture({ fps: FPS });
  const readers: AsyncDisposable[] = [];
  const join = async (): Promise<void> => {
    readers.push(await SilentUdpPlayer.open(capture.url));
    const player = await RtspPlayer.overTcp(capture.url);
    readers.push(player);
    await player.waitForUnits(5);
  };
  try {
    await join(); // the first ones may bring something that all others share
    const { threads } = readProcessUsage(process.pid);
    for (let joined = 0; joined < 5; joined++) await join();
    expect(capture.server.stats.readers).toHaveLength(12);
    expect(readProcessUsage(process.pid).threads).toBeLessThanOrEqual(threads);
  } finally {
    for (const reader of readers) await reader[Symbol.asyncDispose]();
  }
});

test('ffmpeg over TCP, GStreamer over UDP and VLC play it at the same time', async () => {
  const seconds = 5;
  await using capture = await serveCapture({ source: testPicture({ width: 640, height: 360 }), fps: FPS });
  // A witness, without a decoder of its own, says how many frames there were.
  await using witness = await RtspPlayer.overTcp(capture.url);
  const [ffmpeg, gstreamer, vlc] = await Promise.all([
    ffmpegFrames(capture.url, seconds, 'tcp'),
    gstreamerFrames(capture.url, seconds, 'udp'),
    vlcPictures(capture.url, seconds, FPS / 2),
  ]);
  // On a machine that decodes three times at once the source may skip some.
  expect(ffmpeg).toBeGreaterThan(seconds * FPS * 0.8);
  expect(gstreamer).toBeGreaterThan(seconds * FPS * 0.8);
  expect(vlc).toBeGreaterThan(seconds / 2);
  expect(witness.units.length).toBeGreaterThan(seconds * FPS * 0.8);
  expect(witness.incompleteUnits).toBe(0);
  expect(capture.server.stats.cutOffs).toBe(0);
});
