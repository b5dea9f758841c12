import { describe, expect, test } from 'vitest';
import { gundamTable } from '../../src/session/gundam-table.js';

describe('gundamTable', () => {
  test('has the shape that --json prints', () => {
    expect(gundamTable({ width: 1920, height: 1080 }, 9)).toStrictEqual({
      grid: { columns: 4, rows: 2 },
      tiles: 8,
      global: { width: 1024, height: 1024 },
      tokens: 1093,
    });
  });

  test.each([
    [1920, 1080, 9, '4x2', 1093],
    [1920, 1080, 6, '2x1', 483],
    [1280, 720, 9, '2x1', 483],
    [640, 360, 9, '0x0', 273],
    [1024, 1024, 9, '2x2', 693],
    [1080, 1920, 9, '2x4', 1113],
    [1080, 1920, 6, '1x2', 493],
  ] as const)('%ix%i with at most %i tiles: %s, %i tokens', (width, height, maxCrops, grid, tokens) => {
    const table = gundamTable({ width, height }, maxCrops);
    expect(`${table.grid.columns}x${table.grid.rows}`).toBe(grid);
    expect(table.tiles).toBe(table.grid.columns * table.grid.rows);
    expect(table.tokens).toBe(tokens);
  });
});
