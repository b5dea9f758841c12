const INTERVAL_MS = 1000;

/** Passes on at most one line a second; how many were left out follows in the next one. */
export class FewerLines {
  readonly #say: (line: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #waiting: string | undefined;
  #leftOut = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  say(line: string): void {
    if (this.#timer) {
      if (this.#waiting !== undefined) this.#leftOut += 1;
      this.#waiting = line;
      return;
    }
    this.#say(line);
    this.#timer = setTimeout(() => this.settle(), INTERVAL_MS).unref();
  }

  /** Says what waits. */
  settle(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const line = this.#waiting;
    const more = this.#leftOut > 0 ? ` (and ${this.#leftOut} more like it)` : '';
    this.#waiting = undefined;
    this.#leftOut = 0;
    if (line !== undefined) this.say(line + more);
  }
}
