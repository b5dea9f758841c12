import type { Frame } from '../../core/index.js';
import { cellDifference, cellsThatDiffer } from '../gate/cell-difference.js';
import { CellGrid } from '../gate/cell-grid.js';

/** The share of a picture's cells that show something else, beyond the noise of coding; 1 for another size or source. */
export function changedShare(before: Frame, after: Frame): number {
  const grid = new CellGrid(before, []);
  if (!grid.fits(after)) return 1;
  const differing = cellsThatDiffer(before, after, grid).filter((cell) => {
    return cellDifference(before, after, grid, cell, false) > 0;
  });
  return differing.length / grid.cells;
}
