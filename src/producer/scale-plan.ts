import type { GundamLayout, Rect, Size } from '../core/index.js';
import type { Preset } from './presets.js';

/** A rectangle of the source, scaled into a rectangle of the canvas. */
export interface ScaleView {
  /** Origin and, unless it reaches the source's edge, size are even, as everything here is in 4:2:0. */
  readonly source: Rect;
  /** Origin and size are even. */
  readonly target: Rect;
  /** `area` averages and is for shrinking; `bicubic` is Catmull-Rom, as Pillow's. */
  readonly method: 'area' | 'bicubic';
}

/** How a captured picture of one size becomes the picture that is encoded. */
export interface ScalePlan {
  /** Travels with every frame: the preset's name, `source` or `gundam`. */
  readonly name: string;
  /** Size of the encoded picture, even. */
  readonly canvas: Size;
  readonly views: readonly ScaleView[];
  /** Grey of the canvas where no view lies, an RGB level of 0 to 255; absent when the views cover it all. */
  readonly background?: number;
  /** Where the views of a Gundam composite lie; absent for other plans. */
  readonly gundam?: GundamLayout;
}

/** A bound on top of a preset's own. */
export interface ScaleOptions {
  /** The canvas's longer side is at most this many pixels (rounded down to even). @default no limit */
  readonly maxLongSidePx?: number | undefined;
  /** The canvas's height is at most this many pixels (rounded down to even). @default no limit */
  readonly maxHeightPx?: number | undefined;
}

const evenDown = (px: number): number => px - (px % 2);

/** An odd number is as near to both neighbours; the upper one gives the pixel ratio that is nearer. */
const nearestEven = (px: number): number => 2 * Math.floor(px / 2 + 0.5);

/** The even size nearest to `exactPx`, not above `sourcePx`; 2 at least, the smallest picture that 4:2:0 has. */
const evenSide = (exactPx: number, sourcePx: number): number =>
  Math.max(2, Math.min(nearestEven(exactPx), evenDown(sourcePx)));

/**
 * The size with `factor` times fewer pixels than `source`: each side is divided by √factor and taken to
 * the nearest even number, so that it is off by one pixel at most and the aspect ratio is kept as well as
 * even sizes allow. Never larger than the source, but that a side of one pixel becomes two.
 * A smaller `maxLongSidePx` or `maxHeightPx` divides both sides by more.
 */
export function scaledSize(source: Size, factor: number, maxLongSidePx?: number, maxHeightPx?: number): Size {
  const longSidePx = Math.max(source.width, source.height);
  const bound = maxLongSidePx === undefined ? 1 : longSidePx / evenDown(maxLongSidePx);
  const heightBound = maxHeightPx === undefined ? 1 : source.height / evenDown(maxHeightPx);
  const divisor = Math.max(Math.sqrt(factor), bound, heightBound);
  return {
    width: evenSide(source.width / divisor, source.width),
    height: evenSide(source.height / divisor, source.height),
  };
}

/** The plan that shrinks the whole of `source` as `preset` says; of its limit and the option's the smaller holds. */
export function presetPlan(source: Size, preset: Preset, options: ScaleOptions = {}): ScalePlan {
  const limits = [preset.maxLongSidePx, options.maxLongSidePx].filter((limit) => limit !== undefined);
  const canvas = scaledSize(
    source,
    preset.factor,
    limits.length > 0 ? Math.min(...limits) : undefined,
    options.maxHeightPx,
  );
  return wholePlan(preset.name, source, canvas);
}

/** The plan that keeps the full size; an odd last column or row is cut off, so that no pixel is resampled. */
export function sourcePlan(source: Size, options: ScaleOptions = {}): ScalePlan {
  return wholePlan('source', source, scaledSize(source, 1, options.maxLongSidePx, options.maxHeightPx));
}

function wholePlan(name: string, source: Size, canvas: Size): ScalePlan {
  const onlyOddEdges = source.width - canvas.width <= 1 && source.height - canvas.height <= 1;
  const shown = {
    width: onlyOddEdges ? Math.min(source.width, canvas.width) : source.width,
    height: onlyOddEdges ? Math.min(source.height, canvas.height) : source.height,
  };
  return {
    name,
    canvas,
    views: [{ source: { x: 0, y: 0, ...shown }, target: { x: 0, y: 0, ...canvas }, method: 'area' }],
  };
}
