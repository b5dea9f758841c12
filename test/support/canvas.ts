import type { Frame, FrameMetadata, Rect, Size } from '../../src/core/index.js';
import { frameOf } from './frames.js';

type Colour = readonly [red: number, green: number, blue: number];

/** A screen that a test paints on, and the frames of it. */
export class Canvas {
  readonly size: Size;
  readonly #data: Buffer;
  #sequence = 0;

  constructor(size: Size = { width: 320, height: 240 }) {
    this.size = size;
    this.#data = Buffer.alloc(size.width * size.height * 3, 230);
  }

  fill({ x, y, width, height }: Rect, [red, green, blue]: Colour): this {
    for (let row = y; row < y + height; row += 1) {
      for (let column = x; column < x + width; column += 1) {
        this.#data.set([red, green, blue], (row * this.size.width + column) * 3);
      }
    }
    return this;
  }

  /** Each pixel of the rectangle changes by up to `amount`, another way each time. */
  noise({ x, y, width, height }: Rect, amount: number, below: (limit: number) => number): this {
    for (let row = y; row < y + height; row += 1) {
      for (let at = (row * this.size.width + x) * 3; at < (row * this.size.width + x + width) * 3; at += 1) {
        const value = (this.#data[at] ?? 0) + below(2 * amount + 1) - amount;
        this.#data[at] = Math.min(255, Math.max(0, value));
      }
    }
    return this;
  }

  frame(metadata?: FrameMetadata): Frame {
    const data = Buffer.from(this.#data);
    return frameOf(data, this.size, { sequence: this.#sequence++, ...(metadata ? { metadata } : {}) });
  }
}

export const BLACK: Colour = [10, 10, 10];
export const WHITE: Colour = [230, 230, 230];
export const RED: Colour = [200, 30, 30];
