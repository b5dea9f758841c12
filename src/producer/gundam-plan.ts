import { type GundamGrid, type GundamLayout, gundamGrid, type Rect, type Size } from '../core/index.js';
import type { ScalePlan, ScaleView } from './scale-plan.js';

/** Side of a local tile: DeepSeek-OCR's `image_size` in Gundam mode. */
const TILE_PX = 640;
/** Side of the global view: its `base_size`. */
const GLOBAL_PX = 1024;
/** What its `ImageOps.pad` fills with: int(0.5 * 255). */
const PAD_GREY = 127;

/** Hardware decoders of H.264 commonly end here. */
const PREFERRED_MAX_SIDE_PX = 4096;

/** Where the two views of a composite lie: their top left corners, and the canvas around them. */
interface Arrangement {
  readonly canvas: Size;
  readonly local: Rect;
  readonly global: Rect;
}

/**
 * The plan that composes DeepSeek-OCR's Gundam views of `source` into one canvas. The local view is the
 * source resized to the grid's size, without keeping its aspect, and cut into tiles of 640×640; the global
 * view is the source fitted into 1024×1024 on grey. Both are bicubic, as there. All views begin on
 * multiples of 16, so that no macroblock is shared by two tiles.
 * Source: `dynamic_preprocess` and the processor in deepseek-ai/DeepSeek-OCR.
 */
export function gundamPlan(source: Size, maxCrops: 6 | 9): ScalePlan {
  const grid = gundamGrid(source, { maxCrops });
  const { canvas, local, global } = arrange(grid);
  const whole: Rect = { x: 0, y: 0, width: source.width, height: source.height };
  const views: ScaleView[] = [{ source: whole, target: padded(source, global), method: 'bicubic' }];
  if (local.width > 0) views.push({ source: whole, target: local, method: 'bicubic' });
  return { name: 'gundam', canvas, views, background: PAD_GREY, gundam: layout(grid, local, global) };
}

/** The views beside or below each other, whichever wastes fewer pixels of the canvas. */
function arrange(grid: GundamGrid): Arrangement {
  const local = { width: grid.columns * TILE_PX, height: grid.rows * TILE_PX };
  const square = { width: GLOBAL_PX, height: GLOBAL_PX };
  const beside: Arrangement = {
    canvas: { width: local.width + GLOBAL_PX, height: Math.max(local.height, GLOBAL_PX) },
    local: { x: 0, y: 0, ...local },
    global: { x: local.width, y: 0, ...square },
  };
  const below: Arrangement = {
    canvas: { width: Math.max(local.width, GLOBAL_PX), height: local.height + GLOBAL_PX },
    local: { x: 0, y: 0, ...local },
    global: { x: 0, y: local.height, ...square },
  };
  // Strips of 7 to 9 tiles are too long either way; still they are within H.264 level 5.1, which allows
  // 36,864 macroblocks a picture and 8,688 pixels a side (ITU-T H.264, A.3.1).
  const playable = [beside, below].filter(({ canvas }) => longSide(canvas) <= PREFERRED_MAX_SIDE_PX);
  const candidates = playable.length > 0 ? playable : [beside, below];
  return candidates.reduce((best, next) => (area(next.canvas) < area(best.canvas) ? next : best));
}

const longSide = (size: Size): number => Math.max(size.width, size.height);
const area = (size: Size): number => size.width * size.height;

/**
 * Where the source lies in the global view: fitted and centred as Pillow's `ImageOps.pad` does, enlarged
 * if need be, with sides and offsets taken to even numbers, since the canvas is 4:2:0.
 */
function padded(source: Size, square: Rect): Rect {
  const scale = GLOBAL_PX / longSide(source);
  const fitted = (px: number): number => Math.max(2, 2 * Math.round((px * scale) / 2));
  const width = fitted(source.width);
  const height = fitted(source.height);
  const centred = (px: number): number => 2 * Math.floor((GLOBAL_PX - px) / 4);
  return { x: square.x + centred(width), y: square.y + centred(height), width, height };
}

function layout(grid: GundamGrid, local: Rect, global: Rect): GundamLayout {
  const tiles: Rect[] = [];
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      tiles.push({ x: local.x + column * TILE_PX, y: local.y + row * TILE_PX, width: TILE_PX, height: TILE_PX });
    }
  }
  return { ...grid, tiles, global };
}
