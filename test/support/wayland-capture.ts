import { expect } from 'vitest';
import type { CapError, Size } from '../../src/core/index.js';
import type { KnownPicture } from './known-picture.js';
import { type RawCapture, startRawFrames } from './raw-capture.js';
import type { TestCompositor } from './test-compositor.js';

export interface WaylandCapture extends RawCapture {
  /** Resolves with why capture ended. */
  readonly failed: Promise<CapError>;
}

/** Captures a test compositor's monitor, or what `properties` of the element say; without the cursor. */
export async function captureCompositor(
  compositor: TestCompositor,
  size: Size,
  properties: Readonly<Record<string, string>> = {},
): Promise<WaylandCapture> {
  let fail: (error: CapError) => void = () => undefined;
  const failed = new Promise<CapError>((resolve) => {
    fail = resolve;
  });
  const frames = await startRawFrames({
    launch: 'capwaylandsrc name=source ! video/x-raw,framerate=120/1',
    properties: { source: { 'display-name': compositor.display, 'show-pointer': 'false', ...properties } },
    source: size,
    onFailed: (error) => fail(error),
  });
  return { ...frames, failed };
}

/** Waits for exactly that picture. Fails when it does not come in time, or the capture ends. */
export async function expectPicture(
  frames: RawCapture & { readonly failed?: Promise<CapError> },
  picture: KnownPicture,
  when: string,
): Promise<void> {
  const truth = await picture.captured();
  const arrived = frames.until((frame) => frame.data.equals(truth));
  const ended = frames.failed?.then((error) => Promise.reject(error));
  const found = await Promise.race(ended ? [arrived, ended] : [arrived]);
  expect([found.width, found.height], when).toEqual([picture.size.width, picture.size.height]);
  expect(found.data.equals(truth), when).toBe(true);
}

/** Nothing was used that was not allowed, and nothing is kept that is not needed. */
export async function expectGoodClient(compositor: TestCompositor): Promise<void> {
  const { violations, buffers, frames } = await compositor.stats();
  expect({ violations, buffers, frames }).toEqual({
    violations: 0,
    buffers: 1,
    frames: expect.toSatisfy((count: number) => count <= 1),
  });
}
