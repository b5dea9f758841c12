import type { FrameSource, NextFrameOptions } from '../consumer/index.js';
import { linkAbort } from '../consumer/linked-abort.js';
import { CapError, closeAll, type Frame, monotonicNowNs, once, wallNowUs } from '../core/index.js';
import { type Still, StillDoor } from '../transport/index.js';
import { CaptureSession } from './capture-session.js';
import type { CaptureSessionOptions } from './open-capture.js';

const MAX_AGE_MS = 5000;

/**
 * The pictures of a capture of this process, without a server in between: coded like every door's, decoded only when
 * they are asked for. Nothing is captured while nobody asks, but for the capture's `lingerMs`.
 */
export class CaptureView implements FrameSource {
  readonly #session: CaptureSession;
  readonly #door: StillDoor;
  readonly #failing = new AbortController();

  private constructor(session: CaptureSession) {
    this.#session = session;
    this.#door = new StillDoor(session.stream);
    session.on('failed', (error) => this.#failing.abort(error));
  }

  /** @throws as CaptureSession.open does */
  static async open(options: Omit<CaptureSessionOptions, 'onDemand' | 'audio'>): Promise<CaptureView> {
    return new CaptureView(await CaptureSession.open({ ...options, onDemand: true }));
  }

  /** For people: what is captured. */
  get label(): string {
    return this.#session.label;
  }

  get framesSeen(): number {
    return this.#door.newestNumber;
  }

  /** Without `afterSequence` one that is captured after the call. @throws what ended the capture, CAP_CLOSED */
  async next({ afterSequence, signal }: NextFrameOptions = {}): Promise<Frame> {
    const link = linkAbort(signal, this.#failing.signal);
    try {
      link.signal.throwIfAborted();
      // The newest of a capture that rests is as old as its rest.
      const mustBeFresh = afterSequence === undefined || this.#session.resting;
      const still = mustBeFresh ? await this.#takeFresh(link.signal) : undefined;
      link.signal.throwIfAborted();
      return frameOf(still ?? (await this.#door.next((afterSequence ?? -1) + 1, link.signal)));
    } finally {
      link.release();
    }
  }

  readonly close = once(() => closeAll([this.#door, this.#session]));

  /** A camera may take longer to begin again than a snapshot waits for it. */
  async #takeFresh(signal: AbortSignal): Promise<Still> {
    const before = this.#door.newestNumber;
    try {
      return await this.#door.take({ maxAgeMs: MAX_AGE_MS, agoMs: 0 });
    } catch (error) {
      if (!(error instanceof CapError) || error.code !== 'CAP_FRAME_UNAVAILABLE') throw error;
      return this.#door.next(before, signal);
    }
  }
}

const frameOf = ({ data, width, height, number, metadata }: Still): Frame => ({
  data,
  width,
  height,
  receivedMonotonicNs: monotonicNowNs(),
  receivedWallUs: wallNowUs(),
  sequence: number - 1,
  ...(metadata ? { metadata } : {}),
});
