import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rect, Size } from '../../src/core/index.js';
import { startRawFrames } from './raw-capture.js';

/** A picture that is known pixel by pixel: what test/programs/wayland/picture.c shows. */
export class KnownPicture {
  readonly size: Size;
  /** 0xRRGGBB, row by row. */
  readonly #pixels: Uint32Array;

  constructor(size: Size, pixels: Uint32Array) {
    this.size = size;
    this.#pixels = pixels;
  }

  /** Noise, another one for each seed: every pixel in its place matters. */
  static noise(width: number, height: number, seed: number): KnownPicture {
    const pixels = new Uint32Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let hash = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b) ^ Math.imul(seed, 0xc2b2ae35);
        hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
        pixels[y * width + x] = (hash ^ (hash >>> 12)) & 0xffffff;
      }
    }
    return new KnownPicture({ width, height }, pixels);
  }

  paint({ x, y, width, height }: Rect, colour: number): void {
    for (let row = y; row < y + height; row++) {
      this.#pixels.fill(colour, row * this.size.width + x, row * this.size.width + x + width);
    }
  }

  crop({ x, y, width, height }: Rect): KnownPicture {
    const rows = Array.from({ length: height }, (_, row) => (y + row) * this.size.width + x);
    const pixels = rows.flatMap((start) => [...this.#pixels.subarray(start, start + width)]);
    return new KnownPicture({ width, height }, Uint32Array.from(pixels));
  }

  map(change: (colour: number) => number): KnownPicture {
    return new KnownPicture(this.size, this.#pixels.map(change));
  }

  /** Red, green, blue; three bytes a pixel. */
  get rgb(): Uint8Array {
    const out = new Uint8Array(this.#pixels.length * 3);
    this.#pixels.forEach((colour, index) => {
      out.set([colour >>> 16, (colour >>> 8) & 0xff, colour & 0xff], index * 3);
    });
    return out;
  }

  /** What becomes of it on the way that a captured picture takes to 4:2:0 and back. */
  async captured(): Promise<Buffer> {
    const folder = await mkdtemp(join(tmpdir(), 'cap-picture-'));
    try {
      const location = join(folder, 'picture');
      await writeFile(location, Uint32Array.from(this.#pixels)); // little endian: B, G, R, x
      const { width, height } = this.size;
      await using frames = await startRawFrames({
        launch: `filesrc name=source blocksize=${width * height * 4} ! video/x-raw,format=BGRx,width=${width},height=${height},framerate=1/1`,
        properties: { source: { location } },
        source: this.size,
      });
      return (await frames.newest()).data;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
