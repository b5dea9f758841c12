import { describe, expect, test } from 'vitest';
import { type GundamGridOptions, gundamGrid } from '../../src/core/gundam-grid.js';

/** Source size, then the grid as `columns x rows`. */
type Row = readonly [width: number, height: number, grid: string];

function expectGrids(rows: readonly Row[], options: GundamGridOptions): void {
  for (const [width, height, expected] of rows) {
    const { columns, rows: gridRows } = gundamGrid({ width, height }, options);
    expect(`${width}x${height}: ${columns}x${gridRows}`).toBe(`${width}x${height}: ${expected}`);
  }
}

describe('gundamGrid', () => {
  test('picks the published grids with at most 6 tiles', () => {
    expectGrids(
      [
        [1920, 1080, '2x1'],
        [1280, 720, '2x1'],
        [960, 540, '2x1'],
        [640, 360, '0x0'],
        [1024, 1024, '2x2'],
        [1080, 1920, '1x2'],
      ],
      { maxCrops: 6 },
    );
  });

  test('picks the published grids with at most 9 tiles', () => {
    expectGrids(
      [
        [1920, 1080, '4x2'],
        [1280, 720, '2x1'],
        [960, 540, '2x1'],
        [640, 360, '0x0'],
        [1024, 1024, '2x2'],
        [1080, 1920, '2x4'],
      ],
      { maxCrops: 9 },
    );
  });

  test('prefers the larger of two equal ratios only above half its pixels', () => {
    expectGrids(
      [
        // 2:1 against 4:2, whose half is 1,638,400 pixels.
        [1810, 905, '2x1'],
        [1812, 906, '4x2'],
        // 1:1 against 3:3, whose half is 1,843,200 pixels.
        [1357, 1357, '2x2'],
        [1358, 1358, '3x3'],
      ],
      { maxCrops: 9 },
    );
  });

  test('settles exact midpoints in the order of the reference code', () => {
    // 1.25 lies between 1 (2x2, 3x3) and 1.5 (3x2); 3x2 follows 2x2 and needs 1,228,800 pixels, 3x3 1,843,200.
    expectGrids(
      [
        [1000, 800, '2x2'],
        [1250, 1000, '3x2'],
        [1600, 1280, '3x3'],
      ],
      { maxCrops: 9 },
    );
    expectGrids([[1600, 1280, '3x2']], { maxCrops: 6 });
  });

  test('cuts nothing up to the tile size on both sides', () => {
    expectGrids(
      [
        [640, 640, '0x0'],
        [641, 640, '2x2'],
        [640, 641, '2x2'],
        [200, 641, '1x3'],
        [7000, 100, '9x1'],
      ],
      { maxCrops: 9 },
    );
  });

  test('uses the 768 px tile of DeepSeek-OCR 2', () => {
    expectGrids(
      [
        [768, 768, '0x0'],
        [769, 400, '2x1'],
        [1920, 1080, '2x1'],
        [1024, 1024, '2x2'],
      ],
      { maxCrops: 6, tilePx: 768 },
    );
  });
});
