import type { Rect, Size } from '../../core/index.js';

/** A picture in 8-bit grey, without row padding. */
export interface GreyImage extends Size {
  readonly data: Uint8Array;
}

/** Where a line's strokes really are: the detector's box is shrunken and cuts letters. */
export interface InkLine extends Rect {
  /** The grey that most of the line's pixels have. */
  readonly background: number;
}

/** Grey levels from the background on that count as a stroke: above what video compression leaves around text. */
const INK_CONTRAST = 40;
/** The detector's box is about half as high as the line, so the strokes end within this share of it on each side. */
const REACH = 0.8;

/** Grows a detected box up and down to the first rows without strokes. */
export function findInk(image: GreyImage, box: Rect): InkLine {
  const background = commonGrey(image, box);
  const reach = Math.ceil(box.height * REACH);
  const highest = Math.max(0, box.y - reach);
  const lowest = Math.min(image.height, box.y + box.height + reach) - 1;
  const middle = Math.min(lowest, box.y + Math.floor(box.height / 2));
  let top = middle;
  while (top > highest && hasInk(image, box, top - 1, background)) top -= 1;
  let bottom = middle;
  while (bottom < lowest && hasInk(image, box, bottom + 1, background)) bottom += 1;
  return { x: box.x, y: top, width: box.width, height: bottom - top + 1, background };
}

function hasInk(image: GreyImage, box: Rect, y: number, background: number): boolean {
  const start = y * image.width + box.x;
  for (let at = start; at < start + box.width; at += 1) {
    if (Math.abs((image.data[at] ?? 0) - background) > INK_CONTRAST) return true;
  }
  return false;
}

function commonGrey(image: GreyImage, box: Rect): number {
  const counts = new Uint32Array(256);
  for (let y = box.y; y < box.y + box.height; y += 1) {
    for (let at = y * image.width + box.x; at < y * image.width + box.x + box.width; at += 1) {
      const grey = image.data[at] ?? 0;
      counts[grey] = (counts[grey] ?? 0) + 1;
    }
  }
  return counts.indexOf(Math.max(...counts));
}
