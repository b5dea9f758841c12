import { describe, expect, test } from 'vitest';
import { CaptureSession, QUALITY_LEVELS } from '../../src/session/index.js';
import { serveCapture, testPicture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { showClock } from '../support/screen.js';

const open = (options: Parameters<typeof CaptureSession.open>[0], size = { width: 1920, height: 1200 }) =>
  CaptureSession.open({ source: testPicture(size), ...options });

describe('a named quality', () => {
  test.each([
    ['source', { width: 1920, height: 1200 }, 6000],
    ['high', { width: 1728, height: 1080 }, 4000],
    ['medium', { width: 1152, height: 720 }, 2500],
    ['low', { width: 768, height: 480 }, 1000],
  ] as const)('%s bounds height, bitrate and frame rate', async (quality, canvas, maxBitrateKbps) => {
    await using session = await open({ quality });
    expect(session.plan.canvas).toEqual(canvas);
    expect(session.stats.rate).toEqual({ maxBitrateKbps, fps: 30 });
    expect(session.picture).toContain(`at 30 fps, ${maxBitrateKbps} kbit/s at most (${quality})`);
  });

  test('never scales up', async () => {
    await using session = await open({ quality: 'high' }, { width: 640, height: 360 });
    expect(session.plan.canvas).toEqual({ width: 640, height: 360 });
  });

  test('gives way to what is said of each field', async () => {
    await using session = await open({
      quality: 'low',
      fps: 10,
      scaling: { preset: 'p4' },
      encoder: { maxBitrateKbps: 3000 },
    });
    expect(session.plan).toMatchObject({ name: 'p4', canvas: { width: 960, height: 600 } });
    expect(session.stats.rate).toEqual({ maxBitrateKbps: 3000, fps: 10 });
    await using taller = await open({ quality: 'low', scaling: { maxHeightPx: 600 } });
    expect(taller.plan.canvas).toEqual({ width: 960, height: 600 });
    expect(taller.stats.rate?.maxBitrateKbps).toBe(QUALITY_LEVELS.low.maxBitrateKbps);
  });

  test('another name is refused', async () => {
    await expect(open({ quality: 'best' as never })).rejects.toMatchObject({ code: 'CAP_USAGE' });
  });
});

/** Frames and bits a second of the next `frames` that a reader gets. */
async function measure(player: RtspPlayer, frames: number): Promise<{ fps: number; kbps: number }> {
  const from = player.units.length;
  await player.waitForUnits(frames + 1);
  const units = player.units.slice(from);
  const seconds = ((units.at(-1)?.rtpTime ?? 0) - (units[0]?.rtpTime ?? 0)) / 90_000;
  const bytes = units.slice(1).reduce((sum, { data }) => sum + data.length, 0);
  return { fps: (units.length - 1) / seconds, kbps: (bytes * 8) / 1000 / seconds };
}

describe('another rate while it runs', () => {
  test('reaches who reads as fewer bits and frames, without a key frame or a gap', async () => {
    const source = { ...testPicture(), pattern: 'noise' } as const;
    await using capture = await serveCapture({ source, quality: 'source', encoder: { gopSeconds: 600 } });
    await using player = await RtspPlayer.overTcp(capture.url);
    await player.waitForUnits(60);
    const whole = await measure(player, 60);
    const { keyFrames } = capture.session.stats;
    capture.session.setRate({ maxBitrateKbps: 600, fps: 10 });
    await player.waitForUnits(15);
    const less = await measure(player, 30);
    expect(less.fps / whole.fps).toBeCloseTo(1 / 3, 1);
    expect(less.kbps).toBeLessThan(600 * 1.3);
    expect(whole.kbps / less.kbps).toBeGreaterThan(5);
    capture.session.setRate({ maxBitrateKbps: 6000, fps: 30 });
    await player.waitForUnits(30);
    expect((await measure(player, 60)).kbps / whole.kbps).toBeGreaterThan(0.7);
    expect(capture.session.stats.keyFrames).toBe(keyFrames);
    expect(player.incompleteUnits).toBe(0);
  });

  test('a screen is captured less often', async () => {
    const size = { widthPx: 1280, heightPx: 720 };
    await using display = await startDisplay(size);
    await using _clock = await showClock(display, { ...size, mode: 'full' });
    const source = { kind: 'screen', display: display.name, keepAliveMs: 60_000 } as const;
    await using capture = await serveCapture({ source, quality: 'source' });
    await using player = await RtspPlayer.overTcp(capture.url);
    await player.waitForUnits(30);
    const whole = await measure(player, 30);
    capture.session.setRate({ maxBitrateKbps: 6000, fps: 5 });
    await player.waitForUnits(3);
    const less = await measure(player, 10);
    expect(less.fps / whole.fps).toBeLessThan(0.25);
    expect(less.fps).toBeGreaterThan(3);
  });
});
