import { type Closable, type Logger, once, type Rect, toCapError } from '../core/index.js';
import { changedRegions, type Luma, lumaOf } from './changed-regions.js';
import type { LiveStream } from './live-stream.js';
import type { Past } from './past.js';

/** A screen that changes all the time is told of this often. */
const LEAST_MS = 1000;
const RETRY_MS = 5000;

/** Looks at a stream all the time, keeps what changes, and tells of it. */
export class ChangeFollower implements Closable {
  readonly #stream: LiveStream;
  readonly #past: Past;
  readonly #changed: (regions: readonly Rect[]) => void;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;

  constructor(stream: LiveStream, past: Past, changed: (regions: readonly Rect[]) => void, logger: Logger) {
    this.#stream = stream;
    this.#past = past;
    this.#changed = changed;
    this.#logger = logger;
    this.#ended = this.#run();
  }

  readonly close = once(async () => {
    this.#closing.abort();
    await this.#ended;
  });

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let lastSequence = -1;
    let before: Luma | undefined;
    while (!signal.aborted) {
      try {
        const frame = await this.#stream.next({ afterSequence: lastSequence, signal });
        lastSequence = frame.sequence;
        const luma = lumaOf(frame);
        const regions = before ? changedRegions(before, luma) : [];
        if (before && regions.length === 0) continue;
        before = luma;
        await this.#past.see(this.#stream.name, frame, luma);
        if (regions.length > 0) this.#changed(regions);
        await pause(LEAST_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn(`${this.#stream.label}: ${toCapError(error).message}; trying again`);
        await pause(RETRY_MS, signal);
      }
    }
  }
}

/** Ends early, without a failure, when it is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
