import type { FrameSource, NextFrameOptions } from '../../src/consumer/index.js';
import { closedError, type Frame, type FrameMetadata } from '../../src/core/index.js';
import { frameOf } from './frames.js';

/** A frame source whose frames come when the test says so. */
export class ManualSource implements FrameSource {
  #newest: Frame | undefined;
  #failure: Error | undefined;
  #seen = 0;
  readonly #waiting = new Set<() => void>();

  get framesSeen(): number {
    return this.#seen;
  }

  /** "Decodes" frames of 64×48 grey pixels. */
  push(count = 1, metadata?: FrameMetadata): void {
    const size = { width: 64, height: 48 };
    for (let at = 0; at < count; at += 1) {
      this.show(frameOf(Buffer.alloc(size.width * size.height * 3, 90), size, metadata ? { metadata } : {}));
    }
  }

  /** "Decodes" this picture. */
  show(frame: Frame): void {
    this.#newest = { ...frame, sequence: this.#seen++ };
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }

  async next({ afterSequence = -1, signal }: NextFrameOptions = {}): Promise<Frame> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#failure) throw this.#failure;
      if (this.#newest && this.#newest.sequence > afterSequence) return this.#newest;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal?.addEventListener('abort', wake);
      });
    }
  }

  async close(): Promise<void> {
    this.fail(closedError('the source'));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
