import { type Frame, fitsInside, type GundamGrid, type GundamLayout, type Rect, type Size } from '../core/index.js';
import { sourceSize } from './gate/panes.js';
import { roundHalfEven } from './tokens/formula.js';

/**
 * The parts of a frame that make one image: rectangles of the frame of one size in row-major order, to be joined
 * edge to edge and then resized. One rectangle for a plain frame.
 */
export interface View {
  readonly parts: readonly Rect[];
  readonly columns: number;
  /** The size that undoes the distortion of the composite, or the one to which a preset scales. */
  readonly size: Size;
  /** What it shows, in pixels of the source. */
  readonly shows: Rect;
}

export interface FrameViews {
  readonly views: readonly View[];
  /** Says how several views belong together; undefined for one. */
  readonly caption?: string;
}

/**
 * How a frame is shown to a model that takes at most `maxImages` images.
 *
 * A Gundam composite is undone. Its tiles were squeezed into squares and its global view padded with grey,
 * so both get the source's aspect ratio back and the padding is cut off: no tokens are paid for grey.
 * The global view comes first. It is what gives the parts their place, and a model that looks at the
 * beginning only has then seen the whole.
 *
 * Where one image is all a model takes, the tiles are joined again into the whole picture: that has more
 * of the source's pixels than the global view, and no word is cut in two by a tile's edge.
 */
export function viewsOf(frame: Frame, maxImages: number): FrameViews {
  const layout = frame.metadata?.gundam;
  const source = frame.metadata?.source;
  if (!layout || !source || !isWithin(layout, frame)) {
    const { width, height } = frame;
    const shows = wholeOf(sourceSize(frame));
    return { views: [{ parts: [{ x: 0, y: 0, width, height }], columns: 1, size: { width, height }, shows }] };
  }
  const global = globalView(layout.global, source);
  if (layout.tiles.length === 0) return { views: [global] };
  if (maxImages < layout.tiles.length + 1) return { views: [joinedView(layout, source)] };
  const tiles = layout.tiles.map((tile, index) => tileView(tile, index, layout, source));
  return { views: [global, ...tiles], caption: captionOf(layout) };
}

function isWithin(layout: GundamLayout, frame: Size): boolean {
  return [layout.global, ...layout.tiles].every((rect) => fitsInside(rect, frame));
}

/** Undoes Pillow's `ImageOps.pad`: the picture lies centred between two equal bars. */
function globalView(global: Rect, source: Size): View {
  const scale = Math.min(global.width / source.width, global.height / source.height);
  const width = Math.min(global.width, Math.round(source.width * scale));
  const height = Math.min(global.height, Math.round(source.height * scale));
  const content = {
    x: global.x + roundHalfEven((global.width - width) / 2),
    y: global.y + roundHalfEven((global.height - height) / 2),
    width,
    height,
  };
  return { parts: [content], columns: 1, size: restored(content, source), shows: wholeOf(source) };
}

function tileView(tile: Rect, index: number, layout: GundamLayout, source: Size): View {
  const part = gundamPart(index, layout, source);
  return { parts: [tile], columns: 1, size: restored(tile, part), shows: part };
}

function joinedView(layout: GundamLayout, source: Size): View {
  const tile = layout.tiles[0] ?? layout.global;
  const joined = { width: tile.width * layout.columns, height: tile.height * layout.rows };
  return { parts: layout.tiles, columns: layout.columns, size: restored(joined, source), shows: wholeOf(source) };
}

/** The part of a picture that a tile shows; tiles are counted in row-major order. */
export function gundamPart(index: number, { columns, rows }: GundamGrid, picture: Size): Rect {
  const column = index % columns;
  const row = Math.floor(index / columns);
  const edge = (at: number, count: number, length: number): number => Math.round((at * length) / count);
  const x = edge(column, columns, picture.width);
  const y = edge(row, rows, picture.height);
  return {
    x,
    y,
    width: edge(column + 1, columns, picture.width) - x,
    height: edge(row + 1, rows, picture.height) - y,
  };
}

const wholeOf = ({ width, height }: Size): Rect => ({ x: 0, y: 0, width, height });

/** The original's aspect ratio in the size that keeps every pixel of `squeezed`, but never more than the original. */
function restored(squeezed: Size, original: Size): Size {
  const scale = Math.min(1, Math.max(squeezed.width / original.width, squeezed.height / original.height));
  return { width: Math.round(original.width * scale), height: Math.round(original.height * scale) };
}

export function captionOf({ columns, rows }: GundamGrid): string {
  const last = columns * rows + 1;
  return (
    `Image 1 is the whole picture. Images 2 to ${last} are its parts at a higher resolution, ` +
    `from left to right and from top to bottom, in ${columns} column${columns > 1 ? 's' : ''} and ${rows} row${rows > 1 ? 's' : ''}.`
  );
}
