import { expectInteger } from '../core/index.js';
import type { Exchange } from './adaptor.js';

/**
 * The last few questions and answers of a conversation, which a model is told again with the next picture.
 * The pictures are not kept: a new one shows what is there now, and each would be billed again.
 */
export class AnswerMemory {
  readonly #capacity: number;
  readonly #exchanges: Exchange[] = [];

  /** @param capacity most answers that are kept, 1 to 100 */
  constructor(capacity: number) {
    this.#capacity = expectInteger('memory', capacity, 1, 100);
  }

  /** Oldest first. */
  get history(): readonly Exchange[] {
    return [...this.#exchanges];
  }

  remember(exchange: Exchange): void {
    this.#exchanges.push(exchange);
    if (this.#exchanges.length > this.#capacity) this.#exchanges.shift();
  }
}
