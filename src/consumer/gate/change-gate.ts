import type { Frame, Rect } from '../../core/index.js';
import { cellDifference, cellsThatDiffer } from './cell-difference.js';
import { CellGrid } from './cell-grid.js';
import { Repeaters } from './repeaters.js';

/** What the gate looks at. */
export interface ChangeGateOptions {
  /** Rectangles of the source whose changes do not count. @default none */
  readonly ignoreRegions?: readonly Rect[];
}

/** A frame that was shown, and the cells in which the screen has become different since. */
export interface Reference {
  readonly frame: Frame;
  readonly differing: Set<number>;
}

/** A change that undoes the one before waits this long: a cursor that blinks will have come back. */
const ALTERNATION_MS = 1500;
/** And is no larger than this: a cursor, not a dialog. */
const ALTERNATION_CELLS = 16;

/**
 * Whether the screen differs from what was shown last. Damage says where to look, where the stream has it; what
 * counts are the decoded pixels, beyond the noise of coding and beyond what only repeats itself.
 */
export class ChangeGate {
  readonly #ignoreRegions: readonly Rect[];
  #grid: CellGrid | undefined;
  #repeaters = new Repeaters(0);
  #newest: Frame | undefined;
  #shown: Reference | undefined;
  #earlier: Reference | undefined;
  #delivered: Reference | undefined;
  readonly #inFlight = new Set<Reference>();
  #alternatingSinceMs: number | undefined;

  constructor(options: ChangeGateOptions = {}) {
    this.#ignoreRegions = options.ignoreRegions ?? [];
  }

  /**
   * Looks at a newer frame. Returns whether anything is news since the look before.
   *
   * @param damage since that frame, in pixels of the source; undefined when unknown
   */
  look(frame: Frame, damage: readonly Rect[] | undefined, nowMs: number): boolean {
    const before = this.#newest;
    this.#newest = frame;
    if (!before || !this.#grid?.fits(frame)) {
      this.#begin(frame);
      return true;
    }
    const grid = this.#grid;
    const touched = damage ? grid.cellsUnder(damage) : cellsThatDiffer(before, frame, grid);
    const drawn = damage !== undefined;
    const changes = new Map<number, number>();
    for (const cell of touched) {
      const distance = cellDifference(before, frame, grid, cell, drawn);
      if (distance > 0) changes.set(cell, distance);
    }
    for (const reference of this.#references()) {
      for (const cell of touched) {
        if (cellDifference(reference.frame, frame, grid, cell, drawn) > 0) reference.differing.add(cell);
        else reference.differing.delete(cell);
      }
    }
    return this.#repeaters.note(changes, nowMs).length > 0;
  }

  /** Whether the newest frame is to be shown: it differs from what was shown last, and not only by repetition. */
  isNews(nowMs: number): boolean {
    if (!this.#newest) return false;
    if (!this.#shown) return true;
    const news = this.#newsOf(this.#shown, nowMs);
    if (news === 0) {
      this.#alternatingSinceMs = undefined;
      return false;
    }
    const undoes = news <= ALTERNATION_CELLS && this.#earlier && this.#newsOf(this.#earlier, nowMs) === 0;
    if (!undoes) {
      this.#alternatingSinceMs = undefined;
      return true;
    }
    this.#alternatingSinceMs ??= nowMs;
    return nowMs - this.#alternatingSinceMs >= ALTERNATION_MS;
  }

  /** Whether the newest frame is as the one before the last shown was: showing it would hide what came between. */
  isUndone(nowMs: number): boolean {
    return this.#earlier !== undefined && this.#newsOf(this.#earlier, nowMs) === 0;
  }

  /** Whether time alone can make news of what is there: a repeater may stop. */
  get isRestless(): boolean {
    return (this.#shown?.differing.size ?? 0) > 0;
  }

  /** Of the frame looked at last; undefined before the first. */
  get newestSequence(): number | undefined {
    return this.#newest?.sequence;
  }

  /** False before the first frame, and when nothing is comparable with what was shown. */
  get hasShown(): boolean {
    return this.#shown !== undefined;
  }

  /**
   * What has changed since the frame shown last, in pixels of the source; undefined before the first one.
   *
   * @param replaced the frame shown last never was: since the one before
   */
  changed(replaced: boolean): readonly Rect[] | undefined {
    const since = replaced ? this.#earlier : this.#shown;
    return since && this.#grid?.toSourceRects([...since.differing]);
  }

  /**
   * The newest frame is shown, or about to be.
   *
   * @param replaced the frame shown last never was, as this one takes its place
   */
  show(replaced: boolean): Reference {
    if (!this.#newest) throw new RangeError('there is no frame to show');
    if (replaced && this.#shown) this.#inFlight.delete(this.#shown);
    else this.#earlier = this.#shown;
    this.#shown = { frame: this.#newest, differing: new Set() };
    this.#inFlight.add(this.#shown);
    this.#alternatingSinceMs = undefined;
    return this.#shown;
  }

  /** The model has answered. */
  delivered(reference: Reference): void {
    if (!this.#inFlight.delete(reference)) return;
    if (reference.frame.sequence > (this.#delivered?.frame.sequence ?? -1)) this.#delivered = reference;
  }

  /** The model never saw it: what it showed is news still, unless a newer frame is on its way. */
  lost(reference: Reference): void {
    this.#inFlight.delete(reference);
    if (this.#shown !== reference) return;
    this.#shown = this.#delivered;
    this.#earlier = undefined;
  }

  #newsOf({ differing }: Reference, nowMs: number): number {
    let count = 0;
    for (const cell of differing) if (!this.#repeaters.repeats(cell, nowMs)) count += 1;
    return count;
  }

  #references(): Set<Reference> {
    const all = new Set(this.#inFlight);
    for (const one of [this.#shown, this.#earlier, this.#delivered]) if (one) all.add(one);
    return all;
  }

  /** A first frame, or one of another size or plan: nothing from before can be compared with it. */
  #begin(frame: Frame): void {
    this.#grid = new CellGrid(frame, this.#ignoreRegions);
    this.#repeaters = new Repeaters(this.#grid.cells);
    this.#shown = this.#earlier = this.#delivered = undefined;
    this.#inFlight.clear();
  }
}
