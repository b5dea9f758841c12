import { randomUUID } from 'node:crypto';
import { type Closable, closeAll, formatSize, type Logger, once } from '../core/index.js';
import type { Capture } from '../producer/index.js';
import type { StreamQuality, StreamRate } from '../transport/index.js';
import { RateAdaptation, type ReaderReports } from './rate-adaptation.js';

/** What bounds the bits of a session's stream and, with the quality `auto`, who changes that. */
export class SessionRate implements Closable {
  readonly #capture: Capture;
  readonly #quality: StreamQuality | undefined;
  readonly #ceiling: StreamRate | undefined;
  #current: StreamRate | undefined;
  #adaptation: RateAdaptation | undefined;
  /** It would end with this session. */
  #own: RateAdaptation | undefined;
  /** By which the adaptation knows the stream, wherever it is served. */
  readonly #id = randomUUID();
  readonly #leaving: (() => void)[] = [];

  constructor(capture: Capture, ceiling: StreamRate | undefined, quality: StreamQuality | undefined) {
    this.#capture = capture;
    this.#ceiling = ceiling;
    this.#current = ceiling;
    this.#quality = quality;
  }

  /** Undefined when nothing is encoded here. */
  get current(): StreamRate | undefined {
    return this.#current;
  }

  /** For people: `p4 960x540 at 30 fps, 4000 kbit/s at most (high)`. */
  get picture(): string {
    const { name, canvas } = this.#capture.plan;
    const size = `${name} ${formatSize(canvas)}`;
    if (!this.#current) return `${size} as it comes`;
    const bound = this.#quality && `, ${this.#current.maxBitrateKbps} kbit/s at most (${this.#quality})`;
    return `${size} at ${this.#current.fps} fps${bound ?? ''}`;
  }

  set(rate: StreamRate): void {
    if (!this.#current) return;
    this.#capture.setRate(rate);
    this.#current = rate;
  }

  /** With the quality `auto`, follows what readers report from now on. */
  adapt(shared: RateAdaptation | undefined, encodedBytes: () => number, logger: Logger): void {
    if (this.#quality !== 'auto' || !this.#ceiling) return;
    if (!shared) this.#own = new RateAdaptation({ logger });
    this.#adaptation = shared ?? this.#own;
    const stream = {
      path: this.#id,
      ceiling: this.#ceiling,
      encodedBytes,
      setRate: (rate: StreamRate) => this.set(rate),
    };
    this.#leave(this.#adaptation?.add(stream));
  }

  /** Has it follow these readers, too, whatever path they read. */
  hear(reports: ReaderReports): void {
    const path = this.#id;
    this.#leave(this.#adaptation?.addReaders(async () => (await reports()).map((report) => ({ ...report, path }))));
  }

  readonly close = once(async () => {
    for (const leave of this.#leaving) leave();
    await closeAll([this.#own]);
  });

  #leave(leave: (() => void) | undefined): void {
    if (leave) this.#leaving.push(leave);
  }
}
