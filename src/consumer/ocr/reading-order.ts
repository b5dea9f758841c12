import type { Rect } from '../../core/index.js';

interface Placed {
  readonly box: Rect;
}

/**
 * Groups what stands on the same row of the picture, rows from top to bottom and each from left to right.
 * Two boxes share a row when the middle of one lies within the other.
 */
export function rowsInReadingOrder<Item extends Placed>(items: readonly Item[]): Item[][] {
  const rows: Item[][] = [];
  for (const item of [...items].sort((a, b) => middleOf(a) - middleOf(b))) {
    const row = rows.at(-1);
    const previous = row?.at(-1);
    if (row && previous && sharesRow(previous.box, item.box)) row.push(item);
    else rows.push([item]);
  }
  for (const row of rows) row.sort((a, b) => a.box.x - b.box.x);
  return rows;
}

/**
 * Joins boxes of one row that overlap: the detector sometimes cuts a line in two, with a letter in both
 * halves, which would then be read twice.
 */
export function joinOverlapping(boxes: readonly Rect[]): Rect[] {
  return rowsInReadingOrder(boxes.map((box) => ({ box }))).flatMap((row) => {
    const joined: Rect[] = [];
    for (const { box } of row) {
      const previous = joined.at(-1);
      if (previous && box.x < previous.x + previous.width) joined[joined.length - 1] = bounds(previous, box);
      else joined.push(box);
    }
    return joined;
  });
}

function bounds(a: Rect, b: Rect): Rect {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

function middleOf({ box }: Placed): number {
  return box.y + box.height / 2;
}

function sharesRow(a: Rect, b: Rect): boolean {
  const within = (middle: number, box: Rect): boolean => middle > box.y && middle < box.y + box.height;
  return within(a.y + a.height / 2, b) && within(b.y + b.height / 2, a);
}
