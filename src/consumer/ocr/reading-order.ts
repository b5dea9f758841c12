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

function middleOf({ box }: Placed): number {
  return box.y + box.height / 2;
}

function sharesRow(a: Rect, b: Rect): boolean {
  const within = (middle: number, box: Rect): boolean => middle > box.y && middle < box.y + box.height;
  return within(a.y + a.height / 2, b) && within(b.y + b.height / 2, a);
}
