import type { FrameMetadata, Rect } from '../../core/index.js';

interface Entry {
  readonly sequence: number;
  readonly metadata: FrameMetadata;
}

/** Frames remembered; a gate looks several times a second, so this is plenty. */
const MAX_FRAMES = 1024;
/** Rectangles remembered in all: bounds what a hostile stream makes us hold. */
const MAX_RECTS = 32_768;

/**
 * What every decoded frame said had changed, also frames that nobody pulled: the damage of a frame that
 * was passed over is part of what the next one shows.
 */
export class DamageLog {
  #entries: Entry[] = [];
  #rects = 0;

  record(sequence: number, metadata: FrameMetadata): void {
    this.#entries.push({ sequence, metadata });
    this.#rects += metadata.damage?.length ?? 0;
    while (this.#entries.length > MAX_FRAMES || this.#rects > MAX_RECTS) {
      this.#rects -= this.#entries.shift()?.metadata.damage?.length ?? 0;
    }
  }

  /**
   * What changed in the frames after `afterSequence` up to `upToSequence`, in pixels of the source. Undefined
   * when one of them did not say, was lost on the way, or is of another capture or size.
   */
  between(afterSequence: number, upToSequence: number): readonly Rect[] | undefined {
    const entries = this.#entries.filter(({ sequence }) => sequence >= afterSequence && sequence <= upToSequence);
    if (entries.length !== upToSequence - afterSequence + 1) return undefined;
    const changed: Rect[] = [];
    for (const [index, { metadata }] of entries.entries()) {
      const before = entries[index - 1]?.metadata;
      if (!before) continue;
      if (!metadata.damage || !follows(before, metadata)) return undefined;
      changed.push(...metadata.damage);
    }
    return changed;
  }
}

/** Whether the second is the very next frame of the same capture: nothing of its damage is missing. */
function follows(before: FrameMetadata, after: FrameMetadata): boolean {
  return (
    after.frameNumber === before.frameNumber + 1 &&
    after.clockId === before.clockId &&
    after.capturedMonotonicNs >= before.capturedMonotonicNs &&
    after.source.width === before.source.width &&
    after.source.height === before.source.height &&
    after.plan === before.plan
  );
}
