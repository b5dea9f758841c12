import type { Frame, Rect, Size } from '../../core/index.js';
import { type Pane, panesOf, sourceSize, toFrame, toSource } from './panes.js';

/** Side of a cell in pixels of the frame: a macroblock, which is what coding noise keeps to. */
export const CELL_PX = 16;

/** The frame in cells, in row-major order, and which part of the source each of them shows. */
export class CellGrid {
  readonly columns: number;
  readonly rows: number;
  readonly frame: Size;
  readonly panes: readonly Pane[];
  /** 1 for each pixel of the frame that is not looked at; undefined when all are. */
  readonly ignored: Uint8Array | undefined;
  readonly #key: string;

  constructor(frame: Frame, ignoreRegions: readonly Rect[]) {
    this.frame = { width: frame.width, height: frame.height };
    this.columns = Math.ceil(frame.width / CELL_PX);
    this.rows = Math.ceil(frame.height / CELL_PX);
    this.panes = panesOf(frame);
    this.ignored = this.#mask(ignoreRegions);
    this.#key = keyOf(frame);
  }

  get cells(): number {
    return this.columns * this.rows;
  }

  /** Whether this frame shows the same parts of the source at the same places. */
  fits(frame: Frame): boolean {
    return this.#key === keyOf(frame);
  }

  rectOf(cell: number): Rect {
    const x = (cell % this.columns) * CELL_PX;
    const y = Math.floor(cell / this.columns) * CELL_PX;
    return {
      x,
      y,
      width: Math.min(CELL_PX, this.frame.width - x),
      height: Math.min(CELL_PX, this.frame.height - y),
    };
  }

  /** The cells that these rectangles of the source reach into, and their neighbours: filters and motion reach further. */
  cellsUnder(rects: readonly Rect[]): number[] {
    const found = new Set<number>();
    for (const rect of rects.flatMap((each) => toFrame(each, this.panes))) {
      const left = Math.max(0, Math.floor((rect.x - 4) / CELL_PX));
      const top = Math.max(0, Math.floor((rect.y - 4) / CELL_PX));
      const right = Math.min(this.columns - 1, Math.floor((rect.x + rect.width + 3) / CELL_PX));
      const bottom = Math.min(this.rows - 1, Math.floor((rect.y + rect.height + 3) / CELL_PX));
      for (let row = top; row <= bottom; row += 1) {
        for (let column = left; column <= right; column += 1) found.add(row * this.columns + column);
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Cells as few rectangles of the source: runs of a row, joined with equal runs below. */
  toSourceRects(cells: readonly number[]): Rect[] {
    const runs: Rect[] = [];
    const open = new Map<string, { x: number; y: number; width: number; height: number }>();
    const set = new Set(cells);
    for (const cell of [...set].sort((a, b) => a - b)) {
      const column = cell % this.columns;
      if (column > 0 && set.has(cell - 1)) continue;
      let length = 1;
      while (column + length < this.columns && set.has(cell + length)) length += 1;
      const row = Math.floor(cell / this.columns);
      const above = open.get(`${column}+${length}`);
      if (above && above.y + above.height === row) {
        above.height += 1;
        continue;
      }
      const run = { x: column, y: row, width: length, height: 1 };
      open.set(`${column}+${length}`, run);
      runs.push(run);
    }
    return runs.flatMap(({ x, y, width, height }) => {
      const rect = {
        x: x * CELL_PX,
        y: y * CELL_PX,
        width: Math.min(width * CELL_PX, this.frame.width - x * CELL_PX),
        height: Math.min(height * CELL_PX, this.frame.height - y * CELL_PX),
      };
      return this.panes.flatMap((pane) => toSource(rect, [pane]) ?? []);
    });
  }

  /** Widened to whole pairs of pixels, since colour is coded by pairs. */
  #mask(ignoreRegions: readonly Rect[]): Uint8Array | undefined {
    if (ignoreRegions.length === 0) return undefined;
    const mask = new Uint8Array(this.frame.width * this.frame.height);
    for (const rect of ignoreRegions.flatMap((each) => toFrame(each, this.panes))) {
      const left = Math.max(0, (rect.x & ~1) - 2);
      const right = Math.min(this.frame.width, rect.x + rect.width + 3);
      const bottom = Math.min(this.frame.height, rect.y + rect.height + 3);
      for (let y = Math.max(0, (rect.y & ~1) - 2); y < bottom; y += 1) {
        mask.fill(1, y * this.frame.width + left, y * this.frame.width + right);
      }
    }
    return mask;
  }
}

function keyOf(frame: Frame): string {
  const source = sourceSize(frame);
  const { plan = '', gundam } = frame.metadata ?? {};
  return JSON.stringify([frame.width, frame.height, source.width, source.height, plan, gundam]);
}
