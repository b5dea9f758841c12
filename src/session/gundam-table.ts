import { deepSeekOcrGundam } from '../consumer/tokens/deepseek-ocr.js';
import { CapError, type GundamGrid, type Size } from '../core/index.js';
import { gundamPlan } from '../producer/gundam-plan.js';

/** How DeepSeek-OCR's Gundam mode sees a source. */
export interface GundamTable {
  /** 0 × 0 when the source is so small that there is the global view alone. */
  readonly grid: GundamGrid;
  /** Number of local tiles. */
  readonly tiles: number;
  /** Size of the global view in pixels. */
  readonly global: Size;
  /** DeepSeek-OCR's vision tokens, newlines and separator included. */
  readonly tokens: number;
}

/** The Gundam views of `source` with at most `maxCrops` local tiles, and what they cost. */
export function gundamTable(source: Size, maxCrops: 6 | 9): GundamTable {
  const { gundam } = gundamPlan(source, maxCrops);
  if (!gundam) throw new CapError('CAP_INTERNAL', 'the Gundam plan has no layout');
  const { columns, rows, tiles, global } = gundam;
  const { tokens } = deepSeekOcrGundam(maxCrops)(source, 'auto');
  return {
    grid: { columns, rows },
    tiles: tiles.length,
    global: { width: global.width, height: global.height },
    tokens,
  };
}
