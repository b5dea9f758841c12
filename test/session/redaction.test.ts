import { expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { Frame, Rect } from '../../src/core/index.js';
import { CaptureSession } from '../../src/session/index.js';
import { serveCapture, testPicture } from '../support/capture.js';

/** Within the mask's blocks of 8 pixels. */
const MASK: Rect = { x: 80, y: 40, width: 160, height: 120 };
const regions = [MASK];

/** The brightest byte of a part of a picture. */
function brightest({ data, width }: Frame, { x, y, ...size }: Rect): number {
  let most = 0;
  for (let row = y; row < y + size.height; row++) {
    for (const byte of data.subarray((row * width + x) * 3, (row * width + x + size.width) * 3)) {
      most = Math.max(most, byte);
    }
  }
  return most;
}

// The encoder leaves a little of what is next to an edge.
const INSIDE: Rect = { x: 96, y: 56, width: 128, height: 88 };
const NOISE = { ...testPicture(), pattern: 'noise' } as const;

test("readers see a region black, the source's H.264 is encoded anew for it", async () => {
  await using camera = await serveCapture({ source: NOISE, fps: 15 });
  await using masked = await serveCapture({ source: { kind: 'rtsp', url: camera.url }, redaction: { regions } });
  expect(masked.session.passesOn).toBe(false);
  const sampler = new Sampler(masked.url);
  try {
    let sequence = -1;
    for (let frames = 0; frames < 5; frames++) {
      const frame = await sampler.next({ afterSequence: sequence });
      sequence = frame.sequence;
      expect(brightest(frame, INSIDE)).toBeLessThan(24);
      expect(brightest(frame, { x: 0, y: 170, width: 320, height: 60 })).toBeGreaterThan(128);
    }
  } finally {
    await sampler.close();
  }
});

test('a region that is none, or lies outside, is refused', async () => {
  const open = (region: Rect) =>
    CaptureSession.open({ source: testPicture(), redaction: { regions: [region] } }).then((session) => session.close());
  await expect(open({ x: 320, y: 0, width: 10, height: 10 })).rejects.toMatchObject({
    code: 'CAP_USAGE',
    message: 'the redacted region 10x10+320+0 lies outside the source',
    hint: 'its size is 320x240',
  });
  await expect(open({ x: 0.5, y: 0, width: 10, height: 10 })).rejects.toMatchObject({ code: 'CAP_USAGE' });
  await expect(open({ x: 0, y: 0, width: 0, height: 10 })).rejects.toMatchObject({ code: 'CAP_USAGE' });
});

test('windows can be masked on an X screen alone', async () => {
  await expect(
    CaptureSession.open({ source: testPicture(), redaction: { windows: ['vault'] } }).then((session) =>
      session.close(),
    ),
  ).rejects.toMatchObject({
    code: 'CAP_USAGE',
    message: 'windows can be masked on X screens alone, not in test 320x240',
    hint: 'mask a region instead',
  });
});
