import sharp from 'sharp';
import type { Frame } from '../../src/core/index.js';

/** The perceptual hash dHash: of 9x8 grey values, whether each is brighter than its neighbour to the right; 64 bits. */
export async function differenceHash({ data, width, height }: Frame): Promise<bigint> {
  const grey = await sharp(data, { raw: { width, height, channels: 3 } })
    .greyscale()
    .resize(9, 8, { fit: 'fill' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  let hash = 0n;
  for (let row = 0; row < 8; row += 1) {
    for (let column = 0; column < 8; column += 1) {
      const at = row * 9 + column;
      hash = (hash << 1n) | ((grey[at] ?? 0) > (grey[at + 1] ?? 0) ? 1n : 0n);
    }
  }
  return hash;
}
