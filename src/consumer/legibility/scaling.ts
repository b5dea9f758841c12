import { type Frame, type GundamGrid, gundamGrid, type Size } from '../../core/index.js';
import { type FitTarget, fitSize } from '../fit-size.js';
import { sourceSize } from '../gate/panes.js';
import { captionOf, type FrameViews, gundamPart, type View, viewsOf } from '../gundam-views.js';
import { shrinkInto } from '../tokens/formula.js';

/** A size in which the picture of a frame may be sent: all of it, a preset, or the Gundam views. */
export interface Scaling {
  readonly name: string;
  /** How a frame is then shown; undefined where that would not be another picture than the whole one. */
  views(frame: Frame, maxImages: number): FrameViews | undefined;
}

/** The whole picture in one image, as large as the stream has it. */
export const FULL_SIZE: Scaling = { name: 'source', views: (frame) => viewsOf(frame, 1) };

/** What the stream has, in one image or several: a Gundam composite is taken apart where the model takes its views. */
export const AS_STREAMED: Scaling = { name: FULL_SIZE.name, views: viewsOf };

/** @param sizeOf what the preset makes of a source, whatever the size in which that is streamed */
export function presetScaling(name: string, sizeOf: (source: Size) => Size): Scaling {
  return {
    name,
    views(frame) {
      const [whole] = viewsOf(frame, 1).views;
      const size = sizeOf(sourceSize(frame));
      if (!whole || size.width >= whole.size.width || size.height >= whole.size.height) return undefined;
      return { views: [{ ...whole, size }] };
    },
  };
}

const GLOBAL_PX = 1024;
const MAX_CROPS = 9;

/**
 * The views of DeepSeek-OCR's Gundam mode, an overview and its parts at full resolution: more of a large picture
 * than models see of it that scale it down to a bound. Of a composite they are what the stream has.
 */
export const GUNDAM: Scaling = {
  name: 'gundam',
  views(frame, maxImages) {
    if (frame.metadata?.gundam) {
      const composed = viewsOf(frame, maxImages);
      return composed.views.length > 1 ? composed : undefined;
    }
    const grid = gundamGrid(frame, { maxCrops: MAX_CROPS });
    const tiles = grid.columns * grid.rows;
    if (tiles === 0 || maxImages < tiles + 1) return undefined;
    return { views: cutViews(frame, grid), caption: captionOf(grid) };
  },
};

function cutViews(frame: Frame, grid: GundamGrid): View[] {
  const { width, height } = frame;
  const source = sourceSize(frame);
  const whole = { x: 0, y: 0, width, height };
  const overview = {
    parts: [whole],
    columns: 1,
    size: shrinkInto(frame, GLOBAL_PX),
    shows: { ...whole, ...source },
  };
  const tiles = Array.from({ length: grid.columns * grid.rows }, (_, index): View => {
    const part = gundamPart(index, grid, frame);
    const { width: tileWidth, height: tileHeight } = part;
    const size = { width: tileWidth, height: tileHeight };
    return { parts: [part], columns: 1, size, shows: gundamPart(index, grid, source) };
  });
  return [overview, ...tiles];
}

/** A scaling with what it costs. */
export interface Candidate {
  readonly scaling: Scaling;
  /** Of all its images, by the model's formula. */
  readonly tokens: number;
  readonly pixels: number;
}

/**
 * What is worth a try for a model, the cheapest first. Of those with the same tokens the one with the most pixels
 * is left, and none that costs more than the whole picture does where that is sent unscaled.
 */
export function candidatesOf(frame: Frame, target: FitTarget, scalings: readonly Scaling[]): Candidate[] {
  const all = scalings.flatMap((scaling): Candidate[] => {
    const { views } = scaling.views(frame, target.limits.maxImages) ?? { views: [] };
    if (views.length === 0) return [];
    const sizes = views.map(({ size }) => fitSize(size, target));
    const tokens = sizes.reduce((sum, size) => sum + target.imageCost(size).tokens, 0);
    return [{ scaling, tokens, pixels: pixelsOf(sizes) }];
  });
  const whole = all.find(({ scaling }) => scaling === FULL_SIZE);
  const wholePixels = pixelsOf(FULL_SIZE.views(frame, 1)?.views.map(({ size }) => size) ?? []);
  const mostTokens = whole && whole.pixels >= UNSCALED * wholePixels ? whole.tokens : Number.POSITIVE_INFINITY;
  const sorted = all
    .filter(({ tokens }) => tokens <= mostTokens)
    .sort((a, b) => a.tokens - b.tokens || b.pixels - a.pixels);
  return sorted.filter(({ tokens }, index) => tokens !== sorted[index - 1]?.tokens);
}

/** What fitting to the model's grid takes away makes no text illegible. */
const UNSCALED = 0.88;

const pixelsOf = (sizes: readonly Size[]): number => sizes.reduce((sum, { width, height }) => sum + width * height, 0);
