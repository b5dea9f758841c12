/** Says a line once and counts how often it comes again in a row: an outage is one line, not one a second. */
export class RepeatedLines {
  readonly #say: (line: string) => void;
  #last: string | undefined;
  #again = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  say(line: string): void {
    if (line === this.#last) {
      this.#again += 1;
      return;
    }
    this.settle();
    this.#last = line;
    this.#say(line);
  }

  /** Says what was counted: something else happened, or nothing follows. */
  settle(): void {
    if (this.#again > 0) this.#say(this.#again === 1 ? '… again' : `… again (${this.#again} times)`);
    this.#last = undefined;
    this.#again = 0;
  }
}
