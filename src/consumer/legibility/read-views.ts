import { type Frame, formatSize, type Rect, type Size } from '../../core/index.js';
import type { EncodedImage, TextLine } from '../adaptor.js';
import type { FittedImages } from '../fit.js';
import { encodeView, sizeView } from '../image-encoding.js';
import type { TextReader } from '../ocr/page-reader.js';
import { type Reference, referenceOf } from './legibility.js';
import { FULL_SIZE } from './scaling.js';

/** Reading this much takes some seconds; a whole terminal of small print would take half a minute. */
const SAMPLE_CHARACTERS = 1000;

/** A sample of the text that a frame has at full size. */
export async function readFullSize(frame: Frame, reader: TextReader): Promise<Reference> {
  const [view] = FULL_SIZE.views(frame, 1)?.views ?? [];
  if (!view) return referenceOf([]);
  const image = await encodeView(await sizeView(frame, view, view.size), 'image/png', 100);
  const lines = await reader.read(image.data, { mostCharacters: SAMPLE_CHARACTERS });
  return referenceOf(lines.map((line) => moved(line, view.size, view.shows)));
}

/**
 * What is read of these images as they are sent, in pixels of the source, where the reference has lines. Images
 * that show the same are layers apart: the whole picture is one, and its parts together are another.
 */
export async function readImages(
  { images, views }: Pick<FittedImages, 'images' | 'views'>,
  reference: readonly TextLine[],
  reader: TextReader,
): Promise<TextLine[][]> {
  const read = await Promise.all(
    images.map(async (image, index): Promise<TextLine[]> => {
      const shows = views[index]?.shows;
      if (!shows) return [];
      const places = reference.flatMap(({ box }) => within(box, shows) ?? []).map((box) => toImage(box, shows, image));
      if (places.length === 0) return [];
      return (await reader.read(image.data, { places })).map((line) => moved(line, image, shows));
    }),
  );
  const [whole = [], ...parts] = read;
  return parts.length === 0 ? [whole] : [whole, parts.flat()];
}

/** Names the images of a request by their sizes, which is what legibility hangs on. */
export const sizesOf = (images: readonly Size[]): string => images.map(formatSize).join();

/** A line found in an image, in pixels of the source. */
function moved(line: TextLine, image: { readonly width: number; readonly height: number }, shows: Rect): TextLine {
  return { ...line, box: scaled(line.box, { x: 0, y: 0, ...sizeOnly(image) }, shows) };
}

const toImage = (box: Rect, shows: Rect, image: EncodedImage): Rect =>
  scaled(box, shows, { x: 0, y: 0, ...sizeOnly(image) });

const sizeOnly = ({ width, height }: { readonly width: number; readonly height: number }) => ({ width, height });

function scaled({ x, y, width, height }: Rect, from: Rect, to: Rect): Rect {
  const across = to.width / from.width;
  const down = to.height / from.height;
  return {
    x: to.x + (x - from.x) * across,
    y: to.y + (y - from.y) * down,
    width: width * across,
    height: height * down,
  };
}

function within(box: Rect, shows: Rect): Rect | undefined {
  const x = Math.max(box.x, shows.x);
  const y = Math.max(box.y, shows.y);
  const width = Math.min(box.x + box.width, shows.x + shows.width) - x;
  const height = Math.min(box.y + box.height, shows.y + shows.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}
