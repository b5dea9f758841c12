import sharp from 'sharp';
import type { Rect, Size } from '../../src/core/index.js';

/** Packed RGB. */
export interface Pixels extends Size {
  readonly data: Buffer;
}

export const CHANNELS = 3;

export async function drawSvg(size: Size, body: string): Promise<Pixels> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${body}</svg>`;
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

export function cut(from: Pixels, { x, y, width, height }: Rect): Pixels {
  const data = Buffer.alloc(width * height * CHANNELS);
  for (let row = 0; row < height; row += 1) {
    const at = ((y + row) * from.width + x) * CHANNELS;
    from.data.copy(data, row * width * CHANNELS, at, at + width * CHANNELS);
  }
  return { data, width, height };
}

export function paste(into: Pixels, { x, y }: { x: number; y: number }, piece: Pixels): void {
  for (let row = 0; row < piece.height; row += 1) {
    const from = row * piece.width * CHANNELS;
    piece.data.copy(into.data, ((y + row) * into.width + x) * CHANNELS, from, from + piece.width * CHANNELS);
  }
}

/** Grown by `by` on each side, inside `size`. */
export function grow({ x, y, width, height }: Rect, by: number, size: Size): Rect {
  const left = Math.max(0, x - by);
  const top = Math.max(0, y - by);
  return {
    x: left,
    y: top,
    width: Math.min(size.width, x + width + by) - left,
    height: Math.min(size.height, y + height + by) - top,
  };
}

export function intersection(a: Rect, b: Rect): Rect | undefined {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  const height = Math.min(a.y + a.height, b.y + b.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

export const areaOf = ({ width, height }: Size): number => width * height;
