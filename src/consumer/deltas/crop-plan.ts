import type { Rect, Size } from '../../core/index.js';
import type { FitTarget } from '../fit-size.js';

/** Of models that say nothing of patches, tiles or cells. */
const DEFAULT_GRID_PX = 32;
/** A crop is no smaller than this, where the picture is not: a character without its line tells little. */
const LEAST_SIDE_PX = 96;
/** What the line of a crop's place costs in the prompt: two crops that cost no more as one become one. */
const LABEL_TOKENS = 24;
/** More pieces than this are the whole picture in the end, and take long to join. */
const MOST_PIECES = 64;
/** A prompt with more places than this is hard to follow. */
const MOST_CROPS = 8;

/** Parts of a picture to be sent instead of the whole. */
interface CropPlan {
  /** In pixels of the picture, in reading order. */
  readonly regions: readonly Rect[];
  /** Of the crops and of what the prompt says of their places. */
  readonly tokens: number;
}

/**
 * Few rectangles that cover all that changed, on the grid in which the model cuts the whole picture, so that what is
 * cropped falls into the patches in which it was seen before and no padding is paid for.
 *
 * @param changed in pixels of the picture
 * @returns undefined when it is scattered over so many places that the whole picture is what to send
 */
export function planCrops(changed: readonly Rect[], picture: Size, target: FitTarget): CropPlan | undefined {
  const { gridPx, cellPx, maxImages } = target.limits;
  const grid = gridPx ?? cellPx ?? DEFAULT_GRID_PX;
  const cost = (rect: Rect): number => target.imageCost(rect).tokens + LABEL_TOKENS;
  let regions = disjoint(changed.map((rect) => onGrid(grown(rect, picture), picture, grid)));
  if (regions.length > MOST_PIECES) return undefined;
  for (;;) {
    const pair = bestPair(regions, cost);
    if (!pair || (pair.saved < 0 && regions.length <= Math.min(MOST_CROPS, maxImages))) break;
    const { first, second, union } = pair;
    regions = disjoint([...regions.filter((one) => one !== first && one !== second), union]);
  }
  regions.sort((a, b) => a.y - b.y || a.x - b.x);
  return { regions, tokens: regions.reduce((sum, rect) => sum + cost(rect), 0) };
}

/** The two whose union saves most, or loses least. */
function bestPair(regions: readonly Rect[], cost: (rect: Rect) => number) {
  const costs = new Map(regions.map((rect) => [rect, cost(rect)]));
  let best: { first: Rect; second: Rect; union: Rect; saved: number } | undefined;
  for (const [index, first] of regions.entries()) {
    for (const second of regions.slice(index + 1)) {
      const union = unionOf(first, second);
      const saved = (costs.get(first) ?? 0) + (costs.get(second) ?? 0) - cost(union);
      if (!best || saved > best.saved) best = { first, second, union, saved };
    }
  }
  return best;
}

/** Those that overlap as one: nothing is sent twice. */
function disjoint(rects: readonly Rect[]): Rect[] {
  const found: Rect[] = [];
  for (const rect of rects) {
    let joined = rect;
    for (let other = overlapping(found, joined); other; other = overlapping(found, joined)) {
      found.splice(found.indexOf(other), 1);
      joined = unionOf(joined, other);
    }
    found.push(joined);
  }
  return found;
}

const overlapping = (rects: readonly Rect[], { x, y, width, height }: Rect): Rect | undefined =>
  rects.find((one) => one.x < x + width && x < one.x + one.width && one.y < y + height && y < one.y + one.height);

function unionOf(a: Rect, b: Rect): Rect {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/** As large as a crop has to be at least, around its middle and inside the picture. */
function grown({ x, y, width, height }: Rect, picture: Size): Rect {
  const across = grownSpan(x, width, picture.width);
  const down = grownSpan(y, height, picture.height);
  return { x: across.from, y: down.from, width: across.length, height: down.length };
}

function grownSpan(from: number, length: number, limit: number): { from: number; length: number } {
  const wanted = Math.min(limit, Math.max(length, LEAST_SIDE_PX));
  const start = Math.round(from - (wanted - length) / 2);
  return { from: Math.min(Math.max(0, start), limit - wanted), length: wanted };
}

/** Outwards to whole cells of the grid; the picture's last column and row may be narrower. */
function onGrid({ x, y, width, height }: Rect, picture: Size, grid: number): Rect {
  const left = Math.floor(x / grid) * grid;
  const top = Math.floor(y / grid) * grid;
  return {
    x: left,
    y: top,
    width: Math.min(picture.width, Math.ceil((x + width) / grid) * grid) - left,
    height: Math.min(picture.height, Math.ceil((y + height) / grid) * grid) - top,
  };
}
