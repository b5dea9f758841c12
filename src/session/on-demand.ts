import { type Closable, type Logger, once } from '../core/index.js';
import type { Capture } from '../producer/index.js';
import type { SharedStream } from '../transport/index.js';

/** Has a capture rest while nobody looks at its stream. */
export class OnDemand implements Closable {
  readonly #capture: Capture;
  readonly #stream: SharedStream;
  readonly #lingerMs: number;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #resting = false;
  /** State changes, one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(capture: Capture, stream: SharedStream, lingerMs: number, logger: Logger) {
    this.#capture = capture;
    this.#stream = stream;
    this.#lingerMs = lingerMs;
    this.#logger = logger;
    stream.onWatched(() => this.#update());
    this.#update();
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
      if (this.#closed || rest === this.#resting || rest === this.#stream.watched || this.#capture.failure) return;
      this.#resting = rest;
      this.#logger.debug(rest ? 'nobody watches: capture rests' : 'somebody watches: capture goes on');
      await (rest ? this.#capture.rest() : this.#capture.resume());
    });
  }
}
