import { TypedEvents } from '../core/index.js';
import type { AccessUnitStream, ReaderReport, StreamRate } from '../transport/index.js';

/** A stream and the path that doors serve it at. */
export interface ServedStream {
  /** `/cap`, `/lab/door`. */
  readonly path: string;
  /** For people: what is captured. */
  readonly label: string;
  readonly stream: AccessUnitStream;
  /** What bounds its bits at present; undefined when it is passed on as it comes. @default not known */
  readonly rate?: () => StreamRate | undefined;
}

export type StreamTableEvents = {
  added: [served: ServedStream];
  /** Whoever reads it must be let go. */
  removed: [served: ServedStream];
};

/** The streams of this process that doors serve; it owns none of them. */
export class StreamTable extends TypedEvents<StreamTableEvents> {
  readonly #streams = new Map<string, ServedStream & { label: string }>();
  readonly #counters = new Map<string, (served: ServedStream) => number>();
  readonly #reports = new Map<string, (served: ServedStream) => readonly ReaderReport[]>();

  /** A stream that is there already keeps its readers. */
  add(served: ServedStream): void {
    const before = this.#streams.get(served.path);
    if (before?.stream === served.stream) {
      before.label = served.label;
      return;
    }
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

  /** Has a door say how many read a stream through it. */
  countReaders(door: string, count: (served: ServedStream) => number): void {
    this.#counters.set(door, count);
  }

  /** How many read a stream now, by door: `{ rtsp: 2, webrtc: 1 }`. */
  readersOf(served: ServedStream): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counters].map(([door, count]) => [door, count(served)]));
  }

  /** Has a door say how the readers of a stream fare through it. */
  reportReaders(door: string, report: (served: ServedStream) => readonly ReaderReport[]): void {
    this.#reports.set(door, report);
  }

  /** How all readers fare at present. */
  readerReports(): ReaderReport[] {
    return [...this.#streams.values()].flatMap((served) =>
      [...this.#reports.values()].flatMap((report) => report(served)),
    );
  }

  [Symbol.iterator](): IterableIterator<ServedStream> {
    return this.#streams.values();
  }
}
