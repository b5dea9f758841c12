import { LEAST_RATE, type StreamRate } from './quality.js';

/** How one reader fares, as far as is known in a period of a second. */
export interface ReaderState {
  /** From 0, nothing wrong, to 1, too much for it, and beyond. */
  readonly congestion: number;
  /** Which share of what it was sent arrived, 0 to 1. */
  readonly delivered: number;
  /** What arrived, as a share of what its stream may send at present. */
  readonly arrived: number;
  /** In which period what is known of it began to be measured, and in which it came. */
  readonly measuredFrom: number;
  readonly cameAt: number;
}

/** What the controller is told of a period. */
export interface RatePeriod {
  /** Counts the periods. */
  readonly number: number;
  readonly readers: readonly ReaderState[];
  /** The largest bitrate among the streams' bounds. */
  readonly ceilingKbps: number;
}

/** Each rung of the ladder has a fifth fewer bits than the one above. */
const RUNG = 0.8;
/** Of its frames: fewer bits go into fewer frames, which stay sharp. By threes from the fourth rung on. */
const FRAME_SHARES = [2 / 3, 1 / 2, 1 / 3, 1 / 6] as const;
const FULL_RATE_RUNGS = 4;
const RUNGS_A_SHARE = 3;

/** Beyond the worst quarter of readers, congestion is theirs and not that of the way that all share. */
const QUANTILE = 0.75;
const CONGESTED = 1;
const CLEAR = 1 / 3;
/** What was measured partly before the last step tells of what came after it when it ended so many periods later. */
const MOSTLY_SINCE = 3;
/** What a congested way is filled to. */
const FILL = 0.85;
/** A still screen says little of what its readers would take: it is not taken for less than this. */
const LEAST_USED = 0.5;
/** Periods from one step up to the next; doubled by each that fails, and halved again by one that lasts. */
const FIRST_PAUSE = 4;
const LAST_PAUSE = 64;
/** A step up that is followed by congestion within so many periods has failed. */
const PROBE_PERIODS = 10;

/**
 * Decides how much all streams of a host may send over the way that they share: fast down, to what arrives, and slowly up,
 * by one rung after a pause that grows with each failure. Knows nothing of time but the periods it is told of.
 */
export class RateController {
  #rung = 0;
  #steppedAt = -Infinity;
  #pause = FIRST_PAUSE;
  /** When it last went up, until that has proved right or wrong. */
  #probedAt: number | undefined;

  /** Rungs below the top. */
  get rung(): number {
    return this.#rung;
  }

  /** What a stream may send at present that would send `ceiling` at best. */
  rateOf(ceiling: StreamRate): StreamRate {
    const share = this.#rung < FULL_RATE_RUNGS ? 1 : FRAME_SHARES[frameShare(this.#rung)];
    const least = (value: number, bound: number, most: number): number => Math.min(most, Math.max(bound, value));
    return {
      maxBitrateKbps: least(
        Math.round(ceiling.maxBitrateKbps * RUNG ** this.#rung),
        LEAST_RATE.maxBitrateKbps,
        ceiling.maxBitrateKbps,
      ),
      fps: least(Math.round(ceiling.fps * (share ?? 1)), LEAST_RATE.fps, ceiling.fps),
    };
  }

  /** Takes a period's news; whether that led to another rung. */
  update(period: RatePeriod): boolean {
    const before = this.#rung;
    const decisive = decisiveReader(period.readers);
    const lowest = Math.max(0, Math.ceil(rungsTo(LEAST_RATE.maxBitrateKbps / period.ceilingKbps)));
    if (!decisive) return false;
    const { congestion, measuredFrom, cameAt } = decisive;
    // What was under way when the last step was made is lost after it.
    const isSinceStep = measuredFrom > this.#steppedAt;
    const counts = isSinceStep || cameAt - this.#steppedAt >= MOSTLY_SINCE;
    if (cameAt === period.number && congestion >= CONGESTED && counts) {
      this.#down(period.number, decisive, isSinceStep ? 1 : 0);
    } else if (measuredFrom >= this.#steppedAt && congestion <= CLEAR) {
      this.#up(period.number);
    }
    this.#rung = Math.min(this.#rung, lowest);
    return this.#rung !== before;
  }

  #down(number: number, { delivered, arrived }: ReaderState, leastRungs: number): void {
    const share = FILL * Math.max(0.01, arrived, delivered * LEAST_USED);
    const rungs = Math.max(leastRungs, Math.ceil(rungsTo(share)));
    if (rungs <= 0) return;
    if (this.#probedAt !== undefined) this.#pause = Math.min(this.#pause * 2, LAST_PAUSE);
    this.#probedAt = undefined;
    this.#rung += rungs;
    this.#steppedAt = number;
  }

  #up(number: number): void {
    if (this.#probedAt !== undefined && number - this.#probedAt >= PROBE_PERIODS) {
      this.#pause = Math.max(FIRST_PAUSE, this.#pause / 2);
      this.#probedAt = undefined;
    }
    if (this.#rung === 0 || number - this.#steppedAt < this.#pause) return;
    this.#rung -= 1;
    this.#steppedAt = number;
    this.#probedAt = number;
  }
}

/** Rungs from the top to a share of it. */
const rungsTo = (share: number): number => Math.log(share) / Math.log(RUNG);

const frameShare = (rung: number): number =>
  Math.min(FRAME_SHARES.length - 1, Math.floor((rung - FULL_RATE_RUNGS) / RUNGS_A_SHARE));

/**
 * The reader at the upper quartile. What all readers share shows at most of them; one that is far worse than the others
 * loses frames for itself. A sole reader is taken at its word.
 */
function decisiveReader(readers: readonly ReaderState[]): ReaderState | undefined {
  const sorted = [...readers].sort((a, b) => a.congestion - b.congestion);
  return sorted[Math.floor(QUANTILE * (sorted.length - 1))];
}
