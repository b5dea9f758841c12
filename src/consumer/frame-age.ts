import { clockId, type Frame, monotonicNowNs, wallNowUs } from '../core/index.js';

/**
 * Milliseconds from the capture of a frame until now. By the monotonic clock when the frame was captured
 * on this machine since its last boot; by the wall clocks of both machines otherwise, never below 0;
 * undefined when the stream does not tell when it was captured.
 */
export function frameAgeMs(frame: Frame): number | undefined {
  const { metadata } = frame;
  if (!metadata) return undefined;
  if (metadata.clockId === clockId()) return Number(monotonicNowNs() - metadata.capturedMonotonicNs) / 1e6;
  return Math.max(0, Number(wallNowUs() - metadata.capturedWallUs) / 1e3);
}
