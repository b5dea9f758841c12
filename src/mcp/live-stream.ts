import type { FrameSource, NextFrameOptions } from '../consumer/index.js';
import { linkAbort } from '../consumer/linked-abort.js';
import { CapError, closedError, type Frame, type Logger, once, type Size } from '../core/index.js';

export interface LiveStreamOptions {
  /** Names it in tools and in `cap://<name>/newest`. */
  readonly name: string;
  /** For people: what is seen. */
  readonly label: string;
  /** Opens it; the signal ends what takes long, such as the question whether a screen may be shared. */
  readonly open: (closing: AbortSignal) => Promise<FrameSource>;
  /** How long the source stays open after the last look; undefined for one that rests by itself. */
  readonly lingerMs?: number | undefined;
  readonly logger: Logger;
}

/** Longest wait for a picture that nobody bounds otherwise. */
const PICTURE_TIMEOUT_MS = 20_000;

/**
 * A source that is opened when somebody looks and closed when nobody has for a while, or when it failed: the next look
 * opens it again. Sequence numbers go on.
 */
export class LiveStream implements FrameSource {
  readonly name: string;
  readonly label: string;
  /** Of the picture seen last. */
  size: Size | undefined;
  readonly #open: LiveStreamOptions['open'];
  readonly #lingerMs: number | undefined;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  #source: Promise<FrameSource> | undefined;
  #opened: FrameSource | undefined;
  #looking = 0;
  #linger: NodeJS.Timeout | undefined;
  #sequenceBase = 0;

  constructor({ name, label, open, lingerMs, logger }: LiveStreamOptions) {
    this.name = name;
    this.label = label;
    this.#open = open;
    this.#lingerMs = lingerMs;
    this.#logger = logger;
  }

  get framesSeen(): number {
    return this.#sequenceBase + (this.#opened?.framesSeen ?? 0);
  }

  /** Whether a source is open at present, be it at rest. */
  get isOpen(): boolean {
    return this.#source !== undefined;
  }

  /** The newest picture, soon. @throws CAP_STREAM_UNAVAILABLE when none comes in time, or what is wrong with the source */
  async newest(signal?: AbortSignal): Promise<Frame> {
    const link = linkAbort(signal);
    const late = new CapError('CAP_STREAM_UNAVAILABLE', `no picture of ${this.label} came in time`, {
      hint: 'try again when the source is back',
    });
    const timer = setTimeout(() => link.abort(late), PICTURE_TIMEOUT_MS);
    try {
      return await this.next({ signal: link.signal });
    } finally {
      clearTimeout(timer);
      link.release();
    }
  }

  async next({ afterSequence, signal }: NextFrameOptions = {}): Promise<Frame> {
    const link = linkAbort(signal, this.#closing.signal);
    this.#enter();
    try {
      link.signal.throwIfAborted();
      const source = await this.#sourceOf(link.signal);
      const base = this.#sequenceBase;
      const after = afterSequence === undefined ? {} : { afterSequence: Math.max(-1, afterSequence - base) };
      const frame = await source.next({ ...after, signal: link.signal });
      this.size = { width: frame.width, height: frame.height };
      return { ...frame, sequence: base + frame.sequence };
    } catch (error) {
      if (!link.signal.aborted) await this.#letGo();
      throw error;
    } finally {
      link.release();
      this.#leave();
    }
  }

  readonly close = once(async () => {
    this.#closing.abort(closedError('the stream'));
    clearTimeout(this.#linger);
    await this.#letGo();
  });

  /** Others may wait for the same opening, so that only waiting for it is ended. */
  async #sourceOf(signal: AbortSignal): Promise<FrameSource> {
    this.#source ??= this.#open(this.#closing.signal);
    let abort = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort);
    });
    try {
      this.#opened = await Promise.race([this.#source, aborted]);
      return this.#opened;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #enter(): void {
    clearTimeout(this.#linger);
    this.#looking += 1;
  }

  #leave(): void {
    this.#looking -= 1;
    if (this.#looking > 0 || this.#lingerMs === undefined || this.#closing.signal.aborted) return;
    this.#linger = setTimeout(() => void this.#letGo(), this.#lingerMs).unref();
  }

  async #letGo(): Promise<void> {
    const letting = this.#source;
    if (!letting) return;
    this.#sequenceBase = this.framesSeen;
    this.#source = this.#opened = undefined;
    try {
      await (await letting).close();
    } catch (error) {
      this.#logger.debug('letting go of a source failed', { error: String(error) });
    }
  }
}
