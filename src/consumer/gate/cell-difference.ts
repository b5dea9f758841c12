import type { Frame } from '../../core/index.js';
import { CELL_PX, type CellGrid } from './cell-grid.js';

const CHANNELS = 3;
/** A pixel differs by this much in a channel: ink on paper. Coding the same picture anew stays below it. */
const STRONG = 40;
/** Where something was drawn for certain: pale ink that a coarse quantizer has smoothed. */
const STRONG_WHERE_DRAWN = 24;
/** So many strong pixels are a change: half a character of the smallest type. */
const STRONG_PIXELS = 3;
/** Or so much on average, of 255. */
const MEAN = 4;
/** Or so much in one direction: a highlight or shade that is hardly seen. Noise goes up and down. */
const SHIFT = 2;

/**
 * How far a cell is from another, 0 when no further than coding noise is: 1 is the least that counts as a change.
 * All three channels count, as red on green may be as bright.
 *
 * @param drawn whether the stream says that something was drawn there
 */
export function cellDifference(before: Frame, after: Frame, grid: CellGrid, cell: number, drawn: boolean): number {
  const least = drawn ? STRONG_WHERE_DRAWN : STRONG;
  const { x, y, width, height } = grid.rectOf(cell);
  const a = before.data;
  const b = after.data;
  let strong = 0;
  let sum = 0;
  let [reds, greens, blues] = [0, 0, 0];
  let pixels = 0;
  for (let row = y; row < y + height; row += 1) {
    const first = row * after.width + x;
    for (let pixel = first; pixel < first + width; pixel += 1) {
      if (grid.ignored?.[pixel]) continue;
      const at = pixel * CHANNELS;
      const red = (b[at] as number) - (a[at] as number);
      const green = (b[at + 1] as number) - (a[at + 1] as number);
      const blue = (b[at + 2] as number) - (a[at + 2] as number);
      const [redBy, greenBy, blueBy] = [Math.abs(red), Math.abs(green), Math.abs(blue)];
      if (redBy >= least || greenBy >= least || blueBy >= least) strong += 1;
      sum += redBy + greenBy + blueBy;
      reds += red;
      greens += green;
      blues += blue;
      pixels += 1;
    }
  }
  if (pixels === 0) return 0;
  const shift = Math.max(Math.abs(reds), Math.abs(greens), Math.abs(blues)) / pixels;
  const difference = Math.max(strong / STRONG_PIXELS, sum / CHANNELS / pixels / MEAN, shift / SHIFT);
  return difference < 1 ? 0 : difference;
}

/** The cells in which any byte differs. Rows that are the same, most of a still screen, are compared whole. */
export function cellsThatDiffer(before: Frame, after: Frame, grid: CellGrid): number[] {
  const found = new Set<number>();
  const stride = after.width * CHANNELS;
  for (let y = 0; y < after.height; y += 1) {
    const at = y * stride;
    if (before.data.compare(after.data, at, at + stride, at, at + stride) === 0) continue;
    const firstCell = Math.floor(y / CELL_PX) * grid.columns;
    for (let column = 0; column < grid.columns; column += 1) {
      if (found.has(firstCell + column)) continue;
      const left = at + column * CELL_PX * CHANNELS;
      const right = Math.min(left + CELL_PX * CHANNELS, at + stride);
      if (before.data.compare(after.data, left, right, left, right) !== 0) found.add(firstCell + column);
    }
  }
  return [...found].sort((a, b) => a - b);
}
