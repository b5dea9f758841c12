import { type CapError, type Closable, type Logger, once } from '../core/index.js';
import type { SharedStream } from '../transport/index.js';

/** What can stop for a while, and go on. */
export interface Resting {
  rest(): Promise<void>;
  resume(): Promise<void>;
  /** Why it has ended, once it has. */
  readonly failure?: CapError | undefined;
}

/** Has captures rest while nobody looks at their stream. */
export class OnDemand implements Closable {
  readonly #captures: readonly Resting[];
  readonly #stream: SharedStream;
  readonly #lingerMs: number;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #resting = false;
  /** State changes, one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(captures: readonly Resting[], stream: SharedStream, lingerMs: number, logger: Logger) {
    this.#captures = captures;
    this.#stream = stream;
    this.#lingerMs = lingerMs;
    this.#logger = logger;
    stream.onWatched(() => this.#update());
    this.#update();
  }

  get #failed(): boolean {
    return this.#captures.some(({ failure }) => failure !== undefined);
  }

  get resting(): boolean {
    return this.#resting;
  }

  readonly close = once(async () => {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#changing;
  });

  #update(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    if (this.#stream.watched) this.#change(false);
    // Nobody to come: the timer alone need not keep the process.
    else this.#timer = setTimeout(() => this.#change(true), this.#lingerMs).unref();
  }

  #change(rest: boolean): void {
    this.#changing = this.#changing.then(async () => {
      // What was asked for last counts, not what was asked for first.
      if (this.#closed || rest === this.#resting || rest === this.#stream.watched || this.#failed) return;
      this.#resting = rest;
      this.#logger.debug(rest ? 'nobody watches: capture rests' : 'somebody watches: capture goes on');
      for (const capture of this.#captures) await (rest ? capture.rest() : capture.resume());
    });
  }
}
