import { linkAbort } from '../consumer/linked-abort.js';
import type { Frame, Rect } from '../core/index.js';
import { changedRegions, type Luma, lumaOf } from './changed-regions.js';
import type { LiveStream } from './live-stream.js';

export interface ChangeWait {
  /** What the picture is compared with; without it, the first one. */
  readonly before: Luma | undefined;
  /** The part that counts, of a picture; undefined for all of it. */
  readonly regionIn: (frame: Frame) => Rect | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Change {
  /** The first picture after the change had calmed down. */
  readonly frame: Frame;
  readonly luma: Luma;
  readonly region: Rect | undefined;
  /** In pixels of the picture. */
  readonly regions: readonly Rect[];
  /** From the call to the first sign of it. */
  readonly afterMs: number;
}

/** A burst is over when so long nothing more changed; what never calms down is told after the bound. */
const CALM_MS = 300;
const MOST_CALM_MS = 2000;

/** Resolves to undefined when nothing changed in time. @throws what is wrong with the stream, or the signal's reason */
export async function waitForChange(stream: LiveStream, wait: ChangeWait): Promise<Change | undefined> {
  const startedMs = performance.now();
  const link = linkAbort(wait.signal);
  const timer = setTimeout(() => link.abort(TIME_IS_UP), wait.timeoutMs);
  let { before } = wait;
  try {
    for (let last: number | undefined; ; ) {
      const after = last === undefined ? {} : { afterSequence: last };
      const frame = await stream.next({ ...after, signal: link.signal });
      const luma = lumaOf(frame);
      last = frame.sequence;
      const region = wait.regionIn(frame);
      if (before && changedRegions(before, luma, region).length > 0) {
        const afterMs = performance.now() - startedMs;
        clearTimeout(timer);
        const calm = await calmDown(stream, { frame, luma }, region, wait.signal);
        const regions = changedRegions(before, calm.luma, region);
        // What was there for a moment only is gone again.
        return {
          ...calm,
          region,
          afterMs,
          regions: regions.length > 0 ? regions : changedRegions(before, luma, region),
        };
      }
      before ??= luma;
    }
  } catch (error) {
    if (error === TIME_IS_UP) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    link.release();
  }
}

const TIME_IS_UP = new Error('time is up');

interface Seen {
  readonly frame: Frame;
  readonly luma: Luma;
}

/** The newest picture, once it stands still. */
async function calmDown(
  stream: LiveStream,
  first: Seen,
  region: Rect | undefined,
  signal: AbortSignal | undefined,
): Promise<Seen> {
  const endMs = performance.now() + MOST_CALM_MS;
  let seen = first;
  let calmAtMs = performance.now() + CALM_MS;
  for (;;) {
    const next = await nextBefore(stream, seen.frame.sequence, Math.min(calmAtMs, endMs), signal);
    if (!next) return seen;
    const luma = lumaOf(next);
    if (changedRegions(seen.luma, luma, region).length > 0) calmAtMs = performance.now() + CALM_MS;
    seen = { frame: next, luma };
  }
}

async function nextBefore(
  stream: LiveStream,
  afterSequence: number,
  untilMs: number,
  signal: AbortSignal | undefined,
): Promise<Frame | undefined> {
  const link = linkAbort(signal);
  const timer = setTimeout(() => link.abort(TIME_IS_UP), Math.max(0, untilMs - performance.now()));
  try {
    return await stream.next({ afterSequence, signal: link.signal });
  } catch (error) {
    if (error === TIME_IS_UP) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    link.release();
  }
}
