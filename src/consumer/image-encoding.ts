import sharp, { type Sharp } from 'sharp';
import type { Frame, Size } from '../core/index.js';
import type { EncodedImage } from './adaptor.js';
import type { View } from './gundam-views.js';
import type { MediaType } from './models.js';

const CHANNELS = 3;

/** The pixels of one view at the size in which it is sent. */
export interface SizedView extends Size {
  /** Packed RGB. */
  readonly data: Buffer;
}

/** Joins the parts of a view and scales them; the pixels of the frame itself where there is nothing to do. */
export function sizeView(frame: Frame, view: View, size: Size): Promise<SizedView> {
  return scaleView(join(frame, view), size);
}

export async function scaleView(view: SizedView, { width, height }: Size): Promise<SizedView> {
  if (view.width === width && view.height === height) return view;
  const data = await rawImage(view).resize(width, height, { fit: 'fill', kernel: 'lanczos3' }).raw().toBuffer();
  return { data, width, height };
}

/**
 * JPEG keeps its colours at full resolution (4:4:4): thin coloured text on a screen is what 4:2:0 blurs first.
 * PNG trades size for time, since a frame lives for one request.
 *
 * @param quality 1 to 100, for JPEG and WebP
 */
export async function encodeView(view: SizedView, mediaType: MediaType, quality: number): Promise<EncodedImage> {
  const data = await compress(rawImage(view), mediaType, quality).toBuffer();
  return { data, mediaType, width: view.width, height: view.height };
}

function compress(image: Sharp, mediaType: MediaType, quality: number): Sharp {
  if (mediaType === 'image/png') return image.png({ compressionLevel: 3 });
  if (mediaType === 'image/webp') return image.webp({ quality, effort: 2 });
  return image.jpeg({ quality, chromaSubsampling: '4:4:4' });
}

/** The view's parts edge to edge. Parts are copied by rows, which is all that joining packed pixels takes. */
function join(frame: Frame, view: View): SizedView {
  const [first] = view.parts;
  if (view.parts.length === 1 && first && first.width === frame.width && first.height === frame.height) return frame;
  const cell = { width: first?.width ?? 0, height: first?.height ?? 0 };
  const width = cell.width * view.columns;
  const height = cell.height * Math.ceil(view.parts.length / view.columns);
  const data = Buffer.alloc(width * height * CHANNELS);
  for (const [index, part] of view.parts.entries()) {
    const left = (index % view.columns) * cell.width;
    const top = Math.floor(index / view.columns) * cell.height;
    for (let row = 0; row < part.height; row += 1) {
      const from = ((part.y + row) * frame.width + part.x) * CHANNELS;
      frame.data.copy(data, ((top + row) * width + left) * CHANNELS, from, from + part.width * CHANNELS);
    }
  }
  return { data, width, height };
}

function rawImage({ data, width, height }: SizedView): Sharp {
  return sharp(data, { raw: { width, height, channels: CHANNELS } });
}
