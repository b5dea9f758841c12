import { type Frame, fitsInside, type Rect, type Size } from '../../core/index.js';

/** A rectangle of the frame and the part of the source that it shows. */
export interface Pane {
  readonly frame: Rect;
  readonly source: Rect;
}

/**
 * Where a frame shows which part of the source. A plain frame is one pane; of a Gundam composite the tiles
 * are, which show the whole source once, finer than the global view does.
 */
export function panesOf(frame: Frame): readonly Pane[] {
  const source = sourceSize(frame);
  const { gundam } = frame.metadata ?? {};
  if (!gundam || ![gundam.global, ...gundam.tiles].every((rect) => fitsInside(rect, frame))) {
    return [{ frame: whole(frame), source: whole(source) }];
  }
  if (gundam.tiles.length === 0) return [{ frame: withoutPadding(gundam.global, source), source: whole(source) }];
  return gundam.tiles.map((tile, index) => {
    const column = index % gundam.columns;
    const row = Math.floor(index / gundam.columns);
    const x = Math.round((column * source.width) / gundam.columns);
    const y = Math.round((row * source.height) / gundam.rows);
    const right = Math.round(((column + 1) * source.width) / gundam.columns);
    const bottom = Math.round(((row + 1) * source.height) / gundam.rows);
    return { frame: tile, source: { x, y, width: right - x, height: bottom - y } };
  });
}

/** Size of what the frame was made of; its own where the stream does not tell. */
export function sourceSize(frame: Frame): Size {
  return frame.metadata?.source ?? { width: frame.width, height: frame.height };
}

/** What a rectangle of the source covers in the frame, each pixel that has any of it. */
export function toFrame(rect: Rect, panes: readonly Pane[]): Rect[] {
  return panes.flatMap((pane) => mapRect(rect, pane.source, pane.frame) ?? []);
}

/** What a rectangle of the frame shows of the source; undefined for what shows nothing, such as padding. */
export function toSource(rect: Rect, panes: readonly Pane[]): Rect | undefined {
  for (const pane of panes) {
    const mapped = mapRect(rect, pane.frame, pane.source);
    if (mapped) return mapped;
  }
  return undefined;
}

/** The part of `rect` inside `from`, in the pixels of `to`, rounded outwards. */
function mapRect(rect: Rect, from: Rect, to: Rect): Rect | undefined {
  const left = Math.max(rect.x, from.x);
  const top = Math.max(rect.y, from.y);
  const right = Math.min(rect.x + rect.width, from.x + from.width);
  const bottom = Math.min(rect.y + rect.height, from.y + from.height);
  if (right <= left || bottom <= top) return undefined;
  const scaleX = to.width / from.width;
  const scaleY = to.height / from.height;
  const x = to.x + Math.floor((left - from.x) * scaleX);
  const y = to.y + Math.floor((top - from.y) * scaleY);
  return {
    x,
    y,
    width: Math.min(to.x + to.width, to.x + Math.ceil((right - from.x) * scaleX)) - x,
    height: Math.min(to.y + to.height, to.y + Math.ceil((bottom - from.y) * scaleY)) - y,
  };
}

const whole = ({ width, height }: Size): Rect => ({ x: 0, y: 0, width, height });

/** The global view keeps the source's aspect ratio, centred between bars. */
function withoutPadding(global: Rect, source: Size): Rect {
  const scale = Math.min(global.width / source.width, global.height / source.height);
  const width = Math.min(global.width, Math.round(source.width * scale));
  const height = Math.min(global.height, Math.round(source.height * scale));
  return {
    x: global.x + Math.floor((global.width - width) / 2),
    y: global.y + Math.floor((global.height - height) / 2),
    width,
    height,
  };
}
