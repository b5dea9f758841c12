import {
  CapError,
  type Closable,
  clockId,
  closedError,
  type FrameMetadata,
  monotonicNowNs,
  once,
  parseSeiPayload,
  type Size,
  wallNowUs,
} from '../core/index.js';
import {
  type KeptUnit,
  type NativePixels,
  type NativeStillDoor,
  native,
  nativePromise,
  type StillDoorStats,
} from '../native/index.js';
import type { AccessUnitStream } from './shared-stream.js';

/** Which picture of a stream is meant. */
export interface StillRequest {
  /** How old it may be when it is asked for; with `agoMs`, how much older than that moment. */
  readonly maxAgeMs: number;
  /**
   * Undefined: the newest. 0: one that is captured after the call. Else the one that was the newest that long ago,
   * up to STILLS_REACH_MS.
   */
  readonly agoMs?: number | undefined;
}

/** One picture of a stream, decoded. */
export interface Still extends Size {
  /** Packed 8-bit RGB. */
  readonly data: Buffer;
  /** Tells the stream's pictures apart. */
  readonly number: number;
  readonly metadata: FrameMetadata | undefined;
  /** Time since its capture or, where a stream does not tell that, its arrival. */
  ageMs(): number;
}

/** How far back pictures are kept. */
export const STILLS_REACH_MS = 10_000;
/** Ten seconds and the rest of the GOP before them, at 12 Mbit/s; of more there is less of the past. */
const MOST_BYTES = 32 << 20;
/** With more to decode a key frame is asked for, which is there sooner: some 100 ms at 1080p. */
const MOST_UNITS_TO_DECODE = 30;
const KEY_FRAME_TIMEOUT_MS = 200;
/** A source that can be asked for a picture gives one within 50 ms, if it is alive. */
const FRESH_TIMEOUT_MS = 1000;
/** What decoding, and whatever is then done with the picture, may take of its allowed age. */
const HANDLING_MS = 100;
/** A decoder that nobody needs for so long is let go: it has some pictures' memory. */
const REST_AFTER_MS = 10_000;

/** Single pictures of a stream, of now or of the last seconds. Nothing is decoded while nobody asks. */
export class StillDoor implements Closable {
  readonly #stream: AccessUnitStream;
  readonly #native: NativeStillDoor;
  readonly #decoding = new Map<number, Promise<NativePixels | null>>();
  readonly #waiters = new Set<() => void>();
  #rest: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(stream: AccessUnitStream) {
    this.#stream = stream;
    this.#native = native(
      (addon) => new addon.StillDoor(stream.native, STILLS_REACH_MS, MOST_BYTES, () => this.#onUnit()),
    );
  }

  /** @throws CAP_FRAME_UNAVAILABLE, CAP_DEPENDENCY_MISSING, CAP_CLOSED */
  async take(request: StillRequest): Promise<Still> {
    this.#requireOpen();
    const { agoMs = -1 } = request;
    const unit = agoMs > 0 ? this.#past(agoMs, request.maxAgeMs) : await this.#newest(request);
    const pixels = await this.#decode(unit.number);
    if (!pixels) throw unavailable('the picture cannot be decoded');
    return stillOf(unit, pixels);
  }

  /**
   * The newest picture after the one with that number, waiting for it as long as it takes; the source is kept awake
   * meanwhile. Pictures between two calls are lost on purpose.
   * @throws CAP_CLOSED, CAP_DEPENDENCY_MISSING, or the signal's reason
   */
  async next(afterNumber: number, signal?: AbortSignal): Promise<Still> {
    const leave = this.#stream.native.watch();
    try {
      for (let after = afterNumber; ; ) {
        const unit = await this.#unitWhen(({ number }) => number > after, Number.POSITIVE_INFINITY, signal);
        const pixels = unit && (await this.#decode(unit.number));
        if (pixels) return stillOf(unit, pixels);
        // It is not kept any more, so there is a newer one.
        after = unit?.number ?? after;
      }
    } finally {
      leave();
    }
  }

  /** Number of the newest picture, counted from 1; 0 while there is none. */
  get newestNumber(): number {
    return (this.#closed ? null : this.#native.find())?.number ?? 0;
  }

  /** Milliseconds since the newest picture was captured; undefined when there is none. */
  get newestAgeMs(): number | undefined {
    const newest = this.#closed ? null : this.#native.find();
    return newest ? ageMsOf(newest) : undefined;
  }

  get stats(): StillDoorStats {
    return this.#native.stats();
  }

  readonly close = once(async () => {
    this.#closed = true;
    clearTimeout(this.#rest);
    for (const wake of this.#waiters) wake();
    await Promise.allSettled(this.#decoding.values());
    this.#native.close();
  });

  /** The picture that was on the screen then: the newest that had been captured. */
  #past(agoMs: number, maxAgeMs: number): KeptUnit {
    const then = monotonicNowNs() - BigInt(Math.round(agoMs * 1e6));
    const unit = this.#native.find(then);
    if (!unit) throw unavailable(`there is no picture of ${agoMs} ms ago`, PAST_HINT);
    const beforeMs = Number(then - unit.capturedMonotonicNs) / 1e6;
    if (beforeMs > maxAgeMs) {
      throw unavailable(`the newest picture of ${agoMs} ms ago was ${Math.round(beforeMs)} ms old then`, PAST_HINT);
    }
    return unit;
  }

  async #newest({ maxAgeMs, agoMs }: StillRequest): Promise<KeptUnit> {
    const askedNs = monotonicNowNs();
    const newest = this.#native.find();
    const usable = newest && agoMs !== 0 && ageMsOf(newest) <= maxAgeMs ? newest : undefined;
    const lasts = usable !== undefined && ageMsOf(usable) + Math.min(HANDLING_MS, maxAgeMs / 2) <= maxAgeMs;
    if (lasts && usable.unitsToDecode <= MOST_UNITS_TO_DECODE) return usable;
    // A source that rests, as nobody watches, goes on now.
    const leave = this.#stream.native.watch();
    try {
      const unit = (await this.#fresh(askedNs, maxAgeMs, lasts)) ?? usable;
      if (unit && ageMsOf(unit) <= maxAgeMs) return unit;
    } finally {
      leave();
    }
    throw unavailable(
      newest ? `the newest picture is ${Math.round(ageMsOf(newest))} ms old` : 'there is no picture yet',
    );
  }

  /** A picture that is captured after `askedNs`, soon, if there is one; better one that is quickly decoded. */
  async #fresh(askedNs: bigint, maxAgeMs: number, lasts: boolean): Promise<KeptUnit | undefined> {
    // Also for a source that sleeps: it captures at once.
    this.#stream.requestKeyFrame();
    const isFresh = (unit: KeptUnit): boolean => unit.capturedMonotonicNs >= askedNs;
    const isCheap = (unit: KeptUnit): boolean => unit.unitsToDecode <= MOST_UNITS_TO_DECODE;
    const patienceMs = lasts ? KEY_FRAME_TIMEOUT_MS : Math.min(maxAgeMs, FRESH_TIMEOUT_MS);
    return (
      (await this.#unitWhen((unit) => isFresh(unit) && isCheap(unit), Math.min(patienceMs, KEY_FRAME_TIMEOUT_MS))) ??
      (await this.#unitWhen(isFresh, lasts ? 0 : patienceMs - KEY_FRAME_TIMEOUT_MS))
    );
  }

  /** The newest unit as soon as `suits` says so. */
  async #unitWhen(
    suits: (unit: KeptUnit) => boolean,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<KeptUnit | undefined> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      this.#requireOpen();
      signal?.throwIfAborted();
      // Before it is looked for, so that none is missed.
      this.#native.notify();
      const unit = this.#native.find();
      if (unit && suits(unit)) return unit;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return undefined;
      await this.#nextUnit(leftMs, signal);
    }
  }

  #nextUnit(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = Number.isFinite(timeoutMs) ? setTimeout(wake, timeoutMs) : undefined;
      signal?.addEventListener('abort', wake);
      this.#waiters.add(wake);
    });
  }

  #onUnit(): void {
    for (const wake of this.#waiters) wake();
  }

  /** Whoever wants the same picture meanwhile shares the result. */
  #decode(number: number): Promise<NativePixels | null> {
    const underWay = this.#decoding.get(number);
    if (underWay) return underWay;
    clearTimeout(this.#rest);
    const decoding = nativePromise(this.#native.decode(number)).finally(() => {
      this.#decoding.delete(number);
      if (this.#closed) return;
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => this.#native.rest(), REST_AFTER_MS).unref();
    });
    this.#decoding.set(number, decoding);
    return decoding;
  }

  #requireOpen(): void {
    if (this.#closed) throw closedError('the stream');
  }
}

const metadataOf = ({ seiPayload }: KeptUnit): FrameMetadata | undefined => seiPayload && parseSeiPayload(seiPayload);

function stillOf(unit: KeptUnit, { data, width, height }: NativePixels): Still {
  return { data, width, height, number: unit.number, metadata: metadataOf(unit), ageMs: () => ageMsOf(unit) };
}

/** By whichever clock says more: a stream of another machine may have lain there before it arrived here. */
function ageMsOf(unit: KeptUnit): number {
  const nowNs = monotonicNowNs();
  const sinceArrivalMs = Number(nowNs - unit.capturedMonotonicNs) / 1e6;
  const metadata = metadataOf(unit);
  if (!metadata) return sinceArrivalMs;
  const sinceCaptureMs =
    metadata.clockId === clockId()
      ? Number(nowNs - metadata.capturedMonotonicNs) / 1e6
      : Number(wallNowUs() - metadata.capturedWallUs) / 1e3;
  return Math.max(sinceArrivalMs, sinceCaptureMs);
}

const PAST_HINT = 'pictures are kept while somebody watches; with --always-on at all times';
const NEWEST_HINT = 'max_age says how old it may be; a source that has stopped gives no new one';

function unavailable(message: string, hint = NEWEST_HINT): CapError {
  return new CapError('CAP_FRAME_UNAVAILABLE', message, { hint, retryAfterMs: 1000 });
}
