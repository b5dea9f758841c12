import sharp, { type Sharp } from 'sharp';
import {
  type Frame,
  type GundamLayout,
  gundamGrid,
  monotonicNowNs,
  type Rect,
  type Size,
  wallNowUs,
} from '../../src/core/index.js';
import { frameOf } from './frames.js';

const TILE_PX = 640;
const GLOBAL_PX = 1024;

/**
 * Composes a Gundam frame as DeepSeek-OCR's reference code would see the picture: the whole squeezed into
 * the grid and cut into tiles, and the whole padded with grey; global view first, tiles beside it.
 */
export async function gundamComposite(svg: string, source: Size, maxCrops: 6 | 9 = 9): Promise<Frame> {
  const picture = sharp(Buffer.from(svg)).removeAlpha();
  const { columns, rows } = gundamGrid(source, { maxCrops });
  const size = { width: GLOBAL_PX + columns * TILE_PX, height: Math.max(GLOBAL_PX, rows * TILE_PX) };
  const parts = [{ input: await padded(picture.clone()), left: 0, top: 0 }];
  if (columns > 0) {
    const squeezed = picture.clone().resize(columns * TILE_PX, rows * TILE_PX, { fit: 'fill' });
    parts.push({ input: await squeezed.png().toBuffer(), left: GLOBAL_PX, top: 0 });
  }
  const canvas = sharp({ create: { ...size, channels: 3, background: '#000' } }).composite(parts);
  const data = await canvas.removeAlpha().raw().toBuffer();
  return frameOf(data, size, {
    metadata: {
      frameNumber: 41,
      capturedMonotonicNs: monotonicNowNs(),
      capturedWallUs: wallNowUs(),
      clockId: 0n,
      source,
      plan: 'gundam',
      gundam: layoutOf(columns, rows),
    },
  });
}

function padded(picture: Sharp): Promise<Buffer> {
  const grey = { r: 127, g: 127, b: 127 };
  return picture.resize(GLOBAL_PX, GLOBAL_PX, { fit: 'contain', background: grey }).png().toBuffer();
}

function layoutOf(columns: number, rows: number): GundamLayout {
  const tiles: Rect[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      tiles.push({ x: GLOBAL_PX + column * TILE_PX, y: row * TILE_PX, width: TILE_PX, height: TILE_PX });
    }
  }
  return { columns, rows, tiles, global: { x: 0, y: 0, width: GLOBAL_PX, height: GLOBAL_PX } };
}
