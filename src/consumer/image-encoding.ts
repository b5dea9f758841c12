import sharp, { type Sharp } from 'sharp';
import type { Frame, Rect, Size } from '../core/index.js';
import type { EncodedImage } from './adaptor.js';
import type { View } from './gundam-views.js';
import type { MediaType } from './models.js';

/**
 * Encodes one view of a frame at `size`. JPEG keeps its colours at full resolution (4:4:4): thin coloured
 * text on a screen is what 4:2:0 blurs first. PNG trades size for time, since a frame lives for one request.
 *
 * @param quality 1 to 100, for JPEG and WebP
 */
export async function encodeView(
  frame: Frame,
  view: View,
  size: Size,
  mediaType: MediaType,
  quality: number,
): Promise<EncodedImage> {
  const joined = await join(frame, view);
  const image = joined.resize(size.width, size.height, { fit: 'fill', kernel: 'lanczos3' });
  const data = await compress(image, mediaType, quality).toBuffer();
  return { data, mediaType, width: size.width, height: size.height };
}

function compress(image: Sharp, mediaType: MediaType, quality: number): Sharp {
  if (mediaType === 'image/png') return image.png({ compressionLevel: 3 });
  if (mediaType === 'image/webp') return image.webp({ quality, effort: 2 });
  return image.jpeg({ quality, chromaSubsampling: '4:4:4' });
}

async function join(frame: Frame, view: View): Promise<Sharp> {
  const [first] = view.parts;
  if (view.parts.length === 1 && first) return cut(frame, first);
  const tiles = await Promise.all(
    view.parts.map(async (part, index) => ({
      input: await cut(frame, part).raw().toBuffer(),
      raw: { width: part.width, height: part.height, channels: 3 as const },
      left: (index % view.columns) * part.width,
      top: Math.floor(index / view.columns) * part.height,
    })),
  );
  const width = Math.max(...tiles.map((tile) => tile.left + tile.raw.width));
  const height = Math.max(...tiles.map((tile) => tile.top + tile.raw.height));
  const canvas = sharp({ create: { width, height, channels: 3, background: 'black' } }).composite(tiles);
  // sharp resizes before it composites, so the joined picture has to exist first.
  return rawImage(await canvas.raw().toBuffer(), { width, height });
}

function cut(frame: Frame, { x, y, width, height }: Rect): Sharp {
  const whole = rawImage(frame.data, frame);
  return width === frame.width && height === frame.height ? whole : whole.extract({ left: x, top: y, width, height });
}

function rawImage(data: Buffer, { width, height }: Size): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}
