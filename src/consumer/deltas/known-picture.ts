import type { Frame, Rect } from '../../core/index.js';
import { cellDifference, cellsThatDiffer } from '../gate/cell-difference.js';
import { CellGrid } from '../gate/cell-grid.js';

const CHANNELS = 3;

/**
 * What a model was shown last of each part of the screen. What it was not told of, also what is too faint to count,
 * stays as it was, so that small steps add up until they are sent.
 */
export class KnownPicture {
  readonly #picture: Frame;
  readonly #grid: CellGrid;
  /** Where the stream says that something was drawn: there, paler changes count as well. */
  readonly #drawn = new Set<number>();

  /** @param frame which was shown whole */
  constructor(frame: Frame, ignoreRegions: readonly Rect[]) {
    this.#picture = { ...frame, data: Buffer.from(frame.data) };
    this.#grid = new CellGrid(frame, ignoreRegions);
  }

  /** Whether the frame shows the same parts of the source at the same places. */
  fits(frame: Frame): boolean {
    return this.#grid.fits(frame);
  }

  /** @param changed in pixels of the source */
  drawnIn(changed: readonly Rect[]): void {
    for (const cell of this.#grid.cellsUnder(changed)) this.#drawn.add(cell);
  }

  /** The cells in which the frame is news to the model. */
  newsIn(frame: Frame): number[] {
    return cellsThatDiffer(this.#picture, frame, this.#grid).filter(
      (cell) => cellDifference(this.#picture, frame, this.#grid, cell, this.#drawn.has(cell)) > 0,
    );
  }

  /** In pixels of the source. */
  rectsOf(cells: readonly number[]): Rect[] {
    return this.#grid.toSourceRects(cells);
  }

  /** The model was shown these cells of the frame. */
  learn(frame: Frame, cells: readonly number[]): void {
    const stride = frame.width * CHANNELS;
    for (const cell of cells) {
      const { x, y, width, height } = this.#grid.rectOf(cell);
      for (let row = y; row < y + height; row += 1) {
        const at = row * stride + x * CHANNELS;
        frame.data.copy(this.#picture.data, at, at, at + width * CHANNELS);
      }
    }
  }
}
