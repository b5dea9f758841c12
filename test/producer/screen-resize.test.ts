import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { CapError, Frame, Size } from '../../src/core/index.js';
import { serveCapture } from '../support/capture.js';
import { type ResizableDisplay, startResizableDisplay } from '../support/resizable-display.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { metadataOf } from '../support/unit-metadata.js';

const NAL_SPS = 7;

let display: ResizableDisplay;

beforeEach(async () => {
  display = await startResizableDisplay();
});

afterEach(() => display.close());

/** The first frame of a source of that size. */
async function frameOf(sampler: Sampler, source: Size): Promise<Frame> {
  for (let after = -1; ; ) {
    const frame = await sampler.next({ afterSequence: after, signal: AbortSignal.timeout(20_000) });
    if (frame.metadata?.source.width === source.width && frame.metadata.source.height === source.height) return frame;
    after = frame.sequence;
  }
}

function spsOf(accessUnit: Buffer): string | undefined {
  for (
    let at = accessUnit.indexOf('\0\0\x01', 0, 'latin1');
    at >= 0;
    at = accessUnit.indexOf('\0\0\x01', at + 3, 'latin1')
  ) {
    if (((accessUnit[at + 3] ?? 0) & 0x1f) !== NAL_SPS) continue;
    const end = accessUnit.indexOf('\0\0\x01', at + 3, 'latin1');
    return accessUnit.toString('hex', at + 3, end < 0 ? accessUnit.length : end);
  }
  return undefined;
}

test('the stream goes on when the screen is resized, at the size of the new plan', async () => {
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, keepAliveMs: 100 },
    scaling: { preset: 'p4' },
  });
  await using reader = await RtspPlayer.overTcp(capture.url);
  const sampler = new Sampler(capture.url);
  try {
    expect(await frameOf(sampler, { width: 1280, height: 720 })).toMatchObject({ width: 640, height: 360 });
    const resized: unknown[] = [];
    capture.session.on('resized', (size, plan) => resized.push([size, plan.canvas]));
    const broken: unknown[] = [];
    sampler.on('disconnected', (error) => broken.push(error));
    for (const [width, height] of [
      [800, 600],
      [1920, 1080],
      [1024, 768],
    ] as const) {
      await display.resize(width, height);
      const frame = await frameOf(sampler, { width, height });
      await vi.waitFor(() =>
        expect(resized.at(-1)).toEqual([
          { width, height },
          { width: width / 2, height: height / 2 },
        ]),
      );
      // Frames between the resize and the new plan may still have the old size.
      const settled = await vi.waitUntil(
        async () => {
          const next = await sampler.next({ afterSequence: frame.sequence });
          return next.width === width / 2 ? next : undefined;
        },
        { timeout: 20_000 },
      );
      expect(settled).toMatchObject({ width: width / 2, height: height / 2, metadata: { plan: 'p4' } });
    }
    expect(resized).toHaveLength(3);
    expect(broken).toEqual([]);
    await vi.waitFor(() => expect(metadataOf(reader.units.at(-1)?.data ?? Buffer.alloc(0)).source.width).toBe(1024));
    // Each size has a parameter set of its own, in front of a key frame.
    const sets = reader.units.filter((unit) => unit.key).map((unit) => spsOf(unit.data));
    expect(sets).not.toContain(undefined);
    expect(new Set(sets).size).toBe(4);
    const times = reader.units.map((unit) => unit.rtpTime);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  } finally {
    await sampler.close();
  }
});

test('a Gundam grid follows the new aspect ratio', async () => {
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, keepAliveMs: 100 },
    scaling: { gundam: true },
  });
  const sampler = new Sampler(capture.url);
  try {
    const wide = await frameOf(sampler, { width: 1280, height: 720 });
    expect(wide.metadata?.gundam).toMatchObject({ columns: 2, rows: 1 });
    await display.resize(640, 480);
    await vi.waitFor(
      async () => {
        const { metadata, width, height } = await sampler.next();
        expect(metadata?.gundam).toMatchObject({ columns: 0, rows: 0, tiles: [] });
        expect({ width, height }).toEqual({ width: 1024, height: 1024 });
      },
      { timeout: 20_000 },
    );
  } finally {
    await sampler.close();
  }
});

test('a region that no longer fits ends the capture; one that does goes on', async () => {
  const fitting = await serveCapture({
    source: {
      kind: 'screen',
      display: display.name,
      region: { x: 0, y: 0, width: 640, height: 480 },
      keepAliveMs: 100,
    },
  });
  const outside = await serveCapture({
    source: { kind: 'screen', display: display.name, region: { x: 640, y: 0, width: 640, height: 480 } },
  });
  try {
    const failed = new Promise<CapError>((resolve) => outside.session.on('failed', resolve));
    const failures: CapError[] = [];
    fitting.session.on('failed', (error) => failures.push(error));
    await display.resize(800, 600);
    expect(await failed).toMatchObject({ code: 'CAP_SOURCE_LOST', hint: expect.any(String) });
    const { framesEncoded } = fitting.session.stats;
    await vi.waitFor(() => expect(fitting.session.stats.framesEncoded).toBeGreaterThan(framesEncoded + 3), {
      timeout: 10_000,
    });
    expect(failures).toEqual([]);
  } finally {
    await outside.session.close();
    await fitting.session.close();
  }
});
