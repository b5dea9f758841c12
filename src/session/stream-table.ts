import { TypedEvents } from '../core/index.js';
import type { AccessUnitStream } from '../transport/index.js';

/** A stream and the path that doors serve it at. */
export interface ServedStream {
  /** `/cap`, `/lab/door`. */
  readonly path: string;
  /** For people: what is captured. */
  readonly label: string;
  readonly stream: AccessUnitStream;
}

export type StreamTableEvents = {
  added: [served: ServedStream];
  /** Whoever reads it must be let go. */
  removed: [served: ServedStream];
};

/** The streams of this process that doors serve; it owns none of them. */
export class StreamTable extends TypedEvents<StreamTableEvents> {
  readonly #streams = new Map<string, ServedStream>();

  add(served: ServedStream): void {
    this.remove(served.path);
    this.#streams.set(served.path, served);
    this.emit('added', served);
  }

  remove(path: string): void {
    const served = this.#streams.get(path);
    if (!served) return;
    this.#streams.delete(path);
    this.emit('removed', served);
  }

  get(path: string): ServedStream | undefined {
    return this.#streams.get(path);
  }

  [Symbol.iterator](): IterableIterator<ServedStream> {
    return this.#streams.values();
  }
}
