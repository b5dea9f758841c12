import type { Frame, Rect, Size } from '../core/index.js';

/** The brightness of a picture, a byte a pixel: a third of the picture, and what text is read by. */
export interface Luma extends Size {
  readonly data: Buffer;
}

const TILE_PX = 16;
/** What coding leaves of a still picture differs by less, what is drawn by more. */
const LEAST_DIFFERENCE = 24;
/** A letter changes more pixels of a tile, the edge of a block that was coded anew fewer. */
const LEAST_PIXELS = 4;
/** More tell a model no more. */
const MOST_REGIONS = 8;

export function lumaOf({ data: rgb, width, height }: Pick<Frame, 'data' | 'width' | 'height'>): Luma {
  const data = Buffer.allocUnsafe(width * height);
  for (let to = 0, from = 0; to < data.length; to += 1, from += 3) {
    data[to] = (2 * (rgb[from] ?? 0) + 5 * (rgb[from + 1] ?? 0) + (rgb[from + 2] ?? 0)) >> 3;
  }
  return { data, width, height };
}

/**
 * Where two pictures differ: rectangles around tiles that touch, the largest first. Pictures of different sizes differ
 * everywhere.
 *
 * @param within only there
 */
export function changedRegions(before: Luma, after: Luma, within?: Rect): Rect[] {
  const whole = within ?? { x: 0, y: 0, width: after.width, height: after.height };
  if (before.width !== after.width || before.height !== after.height) return [whole];
  const columns = Math.ceil(whole.width / TILE_PX);
  const tiles = changedTiles(before, after, whole, columns);
  const regions: Rect[] = [];
  for (let tile = 0; tile < tiles.length; tile += 1) {
    if (tiles[tile] === 1) regions.push(clip(flood(tiles, columns, tile), whole));
  }
  return merged(regions.sort((a, b) => b.width * b.height - a.width * a.height));
}

function changedTiles(before: Luma, after: Luma, whole: Rect, columns: number): Uint8Array {
  const tiles = new Uint8Array(columns * Math.ceil(whole.height / TILE_PX));
  const counts = new Uint16Array(columns);
  for (let row = 0; row < whole.height; row += 1) {
    const start = (whole.y + row) * after.width + whole.x;
    const end = start + whole.width;
    // Most rows of a screen stand still, and comparing memory is quick.
    if (before.data.compare(after.data, start, end, start, end) !== 0) {
      for (let at = start; at < end; at += 1) {
        const difference = Math.abs((before.data[at] ?? 0) - (after.data[at] ?? 0));
        if (difference < LEAST_DIFFERENCE) continue;
        const column = Math.floor((at - start) / TILE_PX);
        counts[column] = (counts[column] ?? 0) + 1;
      }
    }
    if (row % TILE_PX === TILE_PX - 1 || row === whole.height - 1) {
      const first = Math.floor(row / TILE_PX) * columns;
      for (let column = 0; column < columns; column += 1) {
        if ((counts[column] ?? 0) >= LEAST_PIXELS) tiles[first + column] = 1;
      }
      counts.fill(0);
    }
  }
  return tiles;
}

/** Takes the changed tiles that hang together with one, also across a tile between, and gives their bounds. */
function flood(tiles: Uint8Array, columns: number, from: number): Rect {
  const rows = tiles.length / columns;
  let [left, top, right, bottom] = [columns, rows, 0, 0];
  const open = [from];
  tiles[from] = 0;
  for (let tile = open.pop(); tile !== undefined; tile = open.pop()) {
    const column = tile % columns;
    const row = Math.floor(tile / columns);
    [left, top] = [Math.min(left, column), Math.min(top, row)];
    [right, bottom] = [Math.max(right, column), Math.max(bottom, row)];
    for (let y = Math.max(0, row - 2); y <= Math.min(rows - 1, row + 2); y += 1) {
      for (let x = Math.max(0, column - 2); x <= Math.min(columns - 1, column + 2); x += 1) {
        const near = y * columns + x;
        if (tiles[near] !== 1) continue;
        tiles[near] = 0;
        open.push(near);
      }
    }
  }
  const size = { width: (right - left + 1) * TILE_PX, height: (bottom - top + 1) * TILE_PX };
  return { x: left * TILE_PX, y: top * TILE_PX, ...size };
}

function clip({ x, y, width, height }: Rect, whole: Rect): Rect {
  return {
    x: whole.x + x,
    y: whole.y + y,
    width: Math.min(width, whole.width - x),
    height: Math.min(height, whole.height - y),
  };
}

/** The smallest are summed up in one. */
function merged(regions: readonly Rect[]): Rect[] {
  if (regions.length <= MOST_REGIONS) return [...regions];
  return [...regions.slice(0, MOST_REGIONS - 1), boundsOf(regions.slice(MOST_REGIONS - 1))];
}

/** The smallest rectangle around others, of which there is one at least. */
export function boundsOf(regions: readonly Rect[]): Rect {
  const x = Math.min(...regions.map((region) => region.x));
  const y = Math.min(...regions.map((region) => region.y));
  const right = Math.max(...regions.map((region) => region.x + region.width));
  const bottom = Math.max(...regions.map((region) => region.y + region.height));
  return { x, y, width: right - x, height: bottom - y };
}
