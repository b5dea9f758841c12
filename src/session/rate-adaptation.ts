import { type Closable, type Logger, once, silentLogger, TypedEvents } from '../core/index.js';
import {
  RateController,
  type ReaderReport,
  ReaderTracker,
  type SentInPeriod,
  type StreamRate,
} from '../transport/index.js';

/** A stream whose bits follow what its readers get. */
export interface AdaptedStream {
  /** As in the reports of its readers. */
  readonly path: string;
  /** What it sends at best. */
  readonly ceiling: StreamRate;
  /** So far; undefined while nothing is encoded. */
  encodedBytes(): number | undefined | Promise<number | undefined>;
  setRate(rate: StreamRate): void | Promise<void>;
}

/** What of all streams changed together. */
export interface RateStep {
  /** The streams' bounds added up, before and after. */
  readonly fromKbps: number;
  readonly toKbps: number;
  readonly rates: ReadonlyMap<string, StreamRate>;
}

/** What it says of its decisions. */
export type RateAdaptationEvents = { stepped: [step: RateStep] };

const NOTHING: SentInPeriod = { kbps: 0, boundKbps: 1 };

/** Says how readers fare at present. */
export type ReaderReports = () => readonly ReaderReport[] | Promise<readonly ReaderReport[]>;

/** How it looks, and where it tells what it does. */
export interface RateAdaptationOptions {
  /** How often it looks and decides. @default 1000 */
  readonly periodMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * Adapts the bitrate and frame rate of all streams of a host to what their readers report. They share one way out, so
 * they go down and up together. Looks at nothing before it knows of readers; the owner must close it.
 */
export class RateAdaptation extends TypedEvents<RateAdaptationEvents> implements Closable {
  readonly #controller = new RateController();
  readonly #streams = new Map<AdaptedStream, { bytes: number | undefined }>();
  readonly #reports = new Set<ReaderReports>();
  readonly #trackers = new Map<string, ReaderTracker>();
  readonly #logger: Logger;
  readonly #periodMs: number;
  #timer: NodeJS.Timeout | undefined;
  #period = 0;
  #steps = { up: 0, down: 0 };

  constructor({ periodMs = 1000, logger = silentLogger }: RateAdaptationOptions = {}) {
    super();
    this.#periodMs = periodMs;
    this.#logger = logger;
  }

  /** Steps so far. */
  get steps(): { readonly up: number; readonly down: number } {
    return { ...this.#steps };
  }

  /** A stream that comes later begins at the others' rate. The function that it gives lets it go. */
  add(stream: AdaptedStream): () => void {
    this.#streams.set(stream, { bytes: undefined });
    void stream.setRate(this.rateOf(stream.ceiling));
    return () => this.#streams.delete(stream);
  }

  /** Hears readers from now on. The function that it gives lets them go. */
  addReaders(reports: ReaderReports): () => void {
    this.#reports.add(reports);
    this.#timer ??= this.#schedule();
    return () => this.#reports.delete(reports);
  }

  /** What a stream may send at present. */
  rateOf(ceiling: StreamRate): StreamRate {
    return this.#controller.rateOf(ceiling);
  }

  readonly close = once(async () => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#streams.clear();
    this.#reports.clear();
  });

  #schedule(): NodeJS.Timeout {
    return setTimeout(async () => {
      await this.#look();
      if (this.#timer) this.#timer = this.#schedule();
    }, this.#periodMs).unref();
  }

  async #look(): Promise<void> {
    this.#period += 1;
    if (this.#streams.size === 0) return;
    const sent = await this.#sent();
    const reports = (await Promise.all([...this.#reports].map((report) => report()))).flat();
    // A stream that is served at several paths has the same reader at each.
    const ofStreams = [...new Map(reports.map((report) => [report.id, report])).values()].filter(({ path }) =>
      sent.has(path),
    );
    // Who is on this machine shares no network with the others, and counts only where there are no others: a tunnel's
    // end, perhaps.
    const remote = ofStreams.filter(({ isLocal }) => !isLocal);
    const states = (remote.length > 0 ? remote : ofStreams).flatMap((report) => {
      const tracker = this.#trackers.get(report.id) ?? new ReaderTracker();
      this.#trackers.set(report.id, tracker);
      return tracker.update(this.#period, report, sent.get(report.path) ?? NOTHING) ?? [];
    });
    const present = new Set(reports.map(({ id }) => id));
    for (const id of this.#trackers.keys()) if (!present.has(id)) this.#trackers.delete(id);
    const ceilings = [...this.#streams.keys()].map(({ ceiling }) => ceiling);
    const before = this.#sum(ceilings);
    const stepped = this.#controller.update({
      number: this.#period,
      readers: states,
      ceilingKbps: Math.max(...ceilings.map(({ maxBitrateKbps }) => maxBitrateKbps)),
    });
    if (stepped) await this.#apply(before, this.#sum(ceilings));
  }

  /** What each stream sent in this period. */
  async #sent(): Promise<Map<string, SentInPeriod>> {
    const sent = new Map<string, SentInPeriod>();
    for (const [stream, last] of this.#streams) {
      const bytes = await stream.encodedBytes();
      const difference = bytes === undefined || last.bytes === undefined ? 0 : Math.max(0, bytes - last.bytes);
      last.bytes = bytes;
      const boundKbps = this.rateOf(stream.ceiling).maxBitrateKbps;
      sent.set(stream.path, { kbps: (difference * 8) / this.#periodMs, boundKbps });
    }
    return sent;
  }

  #sum(ceilings: readonly StreamRate[]): number {
    return ceilings.reduce((sum, ceiling) => sum + this.rateOf(ceiling).maxBitrateKbps, 0);
  }

  async #apply(fromKbps: number, toKbps: number): Promise<void> {
    const rates = new Map([...this.#streams.keys()].map((stream) => [stream.path, this.rateOf(stream.ceiling)]));
    const isDown = toKbps < fromKbps;
    this.#steps[isDown ? 'down' : 'up'] += 1;
    const fps = [...new Set([...rates.values()].map((rate) => rate.fps))].join(', ');
    this.#logger.info(`readers ${isDown ? 'get too little' : 'get all'}: ${toKbps} kbit/s at ${fps} fps from now on`);
    for (const stream of this.#streams.keys()) await stream.setRate(this.rateOf(stream.ceiling));
    this.emit('stepped', { fromKbps, toKbps, rates });
  }
}
