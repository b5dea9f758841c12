/** What one cell has done lately. */
interface Habit {
  /** When it changed, oldest first. */
  readonly timesMs: number[];
  /** Since when it has changed without a longer pause than CONTINUOUS_GAP_MS. */
  continuousSinceMs: number;
  /** The furthest that it has changed at once. */
  furthest: number;
  /** Set once it repeats: after this long without a change it has stopped. */
  silenceMs: number | undefined;
  /** Sooner than this after the change before, another one is out of turn. */
  leastGapMs: number;
}

const REMEMBERED = 8;
/** Video, animations, progress, cursors: faster than this, and for as long as CONTINUOUS_MS. */
const CONTINUOUS_GAP_MS = 700;
const CONTINUOUS_MS = 2000;
const CONTINUOUS_SILENCE_MS = 1000;
/** A clock: so many equal pauses. */
const PERIODS = 3;
const LONGEST_PERIOD_MS = 90_000;
/** What may be slow and steady is small; a log to which a line is added each second is not a clock. */
const SMALL_CELLS = 64;
const SMALL_SHARE = 0.015;
/** A change so much further than those before is another one. */
const FURTHER = 3;

/**
 * Tells cells that change again and again (a blinking cursor, a clock, a video) from news. A repeater that
 * stops, or changes out of turn or much further than before, is news again.
 */
export class Repeaters {
  readonly #habits = new Map<number, Habit>();
  readonly #small: number;

  /** @param cells of the whole frame */
  constructor(cells: number) {
    this.#small = Math.max(SMALL_CELLS, cells * SMALL_SHARE);
  }

  /** Takes note of how far cells changed since the look before. Returns those of which it is news. */
  note(changes: ReadonlyMap<number, number>, nowMs: number): number[] {
    const news: number[] = [];
    for (const [cell, distance] of changes) {
      if (!this.repeats(cell, nowMs)) news.push(cell);
      else if (!this.#isInTurn(cell, distance, nowMs)) {
        this.#habits.delete(cell);
        news.push(cell);
      }
    }
    const isSmall = news.length <= this.#small;
    for (const [cell, distance] of changes) this.#learn(cell, distance, nowMs, isSmall);
    return news;
  }

  /** Whether the cell repeats itself, and has not stopped. */
  repeats(cell: number, nowMs: number): boolean {
    const habit = this.#habits.get(cell);
    if (habit?.silenceMs === undefined) return false;
    if (nowMs - (habit.timesMs.at(-1) ?? 0) <= habit.silenceMs) return true;
    this.#habits.delete(cell);
    return false;
  }

  #isInTurn(cell: number, distance: number, nowMs: number): boolean {
    const habit = this.#habits.get(cell);
    if (!habit) return false;
    return nowMs - (habit.timesMs.at(-1) ?? 0) >= habit.leastGapMs && distance <= habit.furthest * FURTHER;
  }

  #learn(cell: number, distance: number, nowMs: number, isSmall: boolean): void {
    const habit = this.#habits.get(cell) ?? {
      timesMs: [],
      continuousSinceMs: nowMs,
      furthest: 0,
      silenceMs: undefined,
      leastGapMs: 0,
    };
    this.#habits.set(cell, habit);
    const gapMs = nowMs - (habit.timesMs.at(-1) ?? nowMs);
    if (gapMs > CONTINUOUS_GAP_MS) habit.continuousSinceMs = nowMs;
    habit.timesMs.push(nowMs);
    if (habit.timesMs.length > REMEMBERED) habit.timesMs.shift();
    habit.furthest = Math.max(habit.furthest, distance);
    const periodMs = isSmall || habit.silenceMs !== undefined ? steadyPeriodMs(habit.timesMs) : undefined;
    if (nowMs - habit.continuousSinceMs >= CONTINUOUS_MS && habit.timesMs.length >= PERIODS + 1) {
      habit.silenceMs = Math.max(CONTINUOUS_SILENCE_MS, 2.5 * gapMs);
      habit.leastGapMs = 0;
    } else if (periodMs !== undefined) {
      habit.silenceMs = 2.5 * periodMs + 300;
      habit.leastGapMs = periodMs / 2;
    }
  }
}

/** The mean of the last pauses when they are about equal: looks come some 100 ms apart, which blurs them. */
function steadyPeriodMs(timesMs: readonly number[]): number | undefined {
  const last = timesMs.slice(-PERIODS - 1);
  if (last.length <= PERIODS) return undefined;
  const gaps = last.slice(1).map((time, index) => time - (last[index] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  if (mean > LONGEST_PERIOD_MS) return undefined;
  const tolerance = Math.max(mean / 5, 120);
  return gaps.every((gap) => Math.abs(gap - mean) <= tolerance) ? mean : undefined;
}
