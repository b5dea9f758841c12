import type { EncodedImage } from './adaptor.js';
import { encodeView, type SizedView } from './image-encoding.js';
import type { MediaType } from './models.js';

const CHANNELS = 3;
/** Every eighth row tells. */
const ROW_STEP = 8;
/**
 * Share of pixels that are the same as the one to their left: 0.8 and more on pages of text and desktops,
 * 0.4 where a photograph covers half of one, under 0.01 in a photograph.
 */
const FLAT = 0.7;
/** Lossless is worth a few bytes more. */
const PNG_MARGIN = 1.1;

/**
 * Encodes as what keeps text readable in the fewest bytes. Bytes cost time and not tokens, so that what takes
 * long to encode saves nothing:
 *
 * - dense text is as small in PNG as in JPEG at quality 90, and then without the rings around its letters;
 * - all else is JPEG. WebP has half its bytes and takes five to eight times as long, so it is for limits alone.
 */
export async function encodeReadable(
  view: SizedView,
  accepted: readonly MediaType[],
  quality: number,
): Promise<EncodedImage> {
  const [fallback = 'image/png'] = accepted;
  const takesBoth = accepted.includes('image/png') && accepted.includes('image/jpeg');
  if (!takesBoth || !isFlat(view)) return encodeView(view, fallback, quality);
  const [png, jpeg] = await Promise.all([
    encodeView(view, 'image/png', quality),
    encodeView(view, 'image/jpeg', quality),
  ]);
  return png.data.length <= jpeg.data.length * PNG_MARGIN ? png : jpeg;
}

function isFlat({ data, width, height }: SizedView): boolean {
  let same = 0;
  let compared = 0;
  for (let row = 0; row < height; row += ROW_STEP) {
    const end = (row + 1) * width * CHANNELS;
    for (let at = (row * width + 1) * CHANNELS; at < end; at += CHANNELS) {
      compared += 1;
      if (data[at] === data[at - 3] && data[at + 1] === data[at - 2] && data[at + 2] === data[at - 1]) same += 1;
    }
  }
  return same >= compared * FLAT;
}
