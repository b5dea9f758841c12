import type { Size } from '../core/index.js';
import type { NativeComposePlan } from '../native/index.js';
import { gundamPlan } from './gundam-plan.js';
import { loadPreset } from './presets.js';
import { presetPlan, type ScalePlan, sourcePlan } from './scale-plan.js';

/** How the captured picture is scaled before it is encoded. */
export interface ScalingOptions {
  /** A preset's name or file; excludes `gundam`. @default full size */
  readonly preset?: string | undefined;
  /** Compose DeepSeek-OCR's Gundam views into each frame. @default false */
  readonly gundam?: boolean | undefined;
  /** Most local tiles of a Gundam grid. @default 9 */
  readonly maxCrops?: 6 | 9 | undefined;
  /** Bounds the longer side of the result, in pixels; not for Gundam. @default no limit */
  readonly maxLongSidePx?: number | undefined;
  /** Bounds the height of the result, in pixels; not for Gundam. @default no limit */
  readonly maxHeightPx?: number | undefined;
}

/** Makes the plan for each source size; the preset is read once, so that a bad one fails early. */
export function scalePlanner(options: ScalingOptions = {}): (source: Size) => ScalePlan {
  const { gundam = false, maxCrops = 9, maxLongSidePx, maxHeightPx } = options;
  if (gundam) return (source) => gundamPlan(source, maxCrops);
  if (options.preset === undefined) return (source) => sourcePlan(source, { maxLongSidePx, maxHeightPx });
  const preset = loadPreset(options.preset);
  return (source) => presetPlan(source, preset, { maxLongSidePx, maxHeightPx });
}

/** The plan as the native composer takes it. */
export function toNativePlan(plan: ScalePlan, source: Size): NativeComposePlan {
  return {
    source: { x: 0, y: 0, ...source },
    canvas: { x: 0, y: 0, ...plan.canvas },
    backgroundLuma: plan.background === undefined ? -1 : limitedLuma(plan.background),
    views: plan.views.map(({ source: from, target, method }) => ({
      source: from,
      target,
      bicubic: method === 'bicubic',
    })),
  };
}

/** Luma of an RGB grey in limited range: 16 + 219/255 of it (ITU-R BT.601). */
const limitedLuma = (grey: number): number => Math.round(16 + (grey * 219) / 255);
