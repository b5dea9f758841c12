import { CapError, type Frame, type Size } from '../core/index.js';
import type { EncodedImage } from './adaptor.js';
import { encodeReadable } from './choose-encoding.js';
import { type FitTarget, fitSize } from './fit-size.js';
import { type FrameViews, type View, viewsOf } from './gundam-views.js';
import { encodeView, type SizedView, scaleView, sizeView } from './image-encoding.js';
import type { Scaling } from './legibility/scaling.js';
import type { ImageLimits, MediaType } from './models.js';
import { shrinkInto } from './tokens/formula.js';

/** How the images of a frame are encoded. */
export interface FitOptions {
  /** What to encode as, among what the model accepts. @default what keeps text readable in the fewest bytes */
  readonly mediaType?: MediaType;
  /** First quality tried for JPEG and WebP, 1 to 100; lower ones follow when the bytes are too many. @default 90 */
  readonly quality?: number;
  /** A size to be sent, where the picture is not smaller anyway. @default all that the model gains from */
  readonly scaling?: Scaling;
}

/** What is sent of a frame: one image, or the views of a Gundam composite. */
export interface FittedImages {
  readonly images: readonly EncodedImage[];
  /** By the provider's own formula, for the sizes that are sent. */
  readonly estimatedTokens: number;
  /** Says how several images belong together. */
  readonly caption?: string;
  /** What of the picture each image shows. */
  readonly views: readonly View[];
}

/** From the one with the fewest bytes at a quality. */
const DENSEST: readonly MediaType[] = ['image/webp', 'image/jpeg'];
const QUALITY_STEP = 15;
const LOWEST_QUALITY = 45;
const SHRINK = 0.8;
/** Base64 makes four bytes of three. */
const BASE64 = 4 / 3;

/**
 * Makes the images of a frame that a model accepts and gains from: within its limits of edge, pixels, bytes
 * and count, no larger than the size to which the provider would scale it anyway, filling the tokens that it costs,
 * and never scaled up.
 */
export async function fitFrame(frame: Frame, target: FitTarget, options: FitOptions = {}): Promise<FittedImages> {
  const { limits } = target;
  const { views, caption } = shownViews(frame, limits.maxImages, options.scaling);
  const maxBytes = maxImageBytes(limits, views.length);
  const images = await Promise.all(
    views.map(async (view) => {
      const sized = await sizeView(frame, view, fitSize(view.size, target));
      return encodeFitting(sized, limits, options, maxBytes);
    }),
  );
  const estimatedTokens = images.reduce((sum, image) => sum + target.imageCost(image).tokens, 0);
  return { images, estimatedTokens, views, ...(caption === undefined ? {} : { caption }) };
}

/** The sizes of the images that `fitFrame` makes, as long as their bytes are within the limits. */
export function wholeSizes(frame: Frame, target: FitTarget, scaling?: Scaling): Size[] {
  return shownViews(frame, target.limits.maxImages, scaling).views.map((view) => fitSize(view.size, target));
}

/** How a frame is shown, in one image or in several. */
export function shownViews(frame: Frame, maxImages: number, scaling?: Scaling): FrameViews {
  return scaling?.views(frame, maxImages) ?? viewsOf(frame, maxImages);
}

/** Of each image of a request that has `count` of them. */
export function maxImageBytes({ maxImageBytes, maxRequestBytes }: ImageLimits, count: number): number {
  return Math.min(maxImageBytes, Math.floor(maxRequestBytes / BASE64 / count));
}

/** Encodes as what the model takes, in at most so many bytes. */
export async function encodeFitting(
  view: SizedView,
  limits: ImageLimits,
  { mediaType, quality = 90 }: FitOptions,
  maxBytes: number,
): Promise<EncodedImage> {
  const mediaTypes = chooseMediaTypes(limits, mediaType);
  const image = await encodeReadable(view, mediaTypes, quality);
  return image.data.length <= maxBytes ? image : encodeWithin(view, mediaTypes, quality, maxBytes);
}

function chooseMediaTypes(limits: ImageLimits, wanted: MediaType | undefined): readonly MediaType[] {
  if (wanted === undefined) return limits.mediaTypes;
  if (limits.mediaTypes.includes(wanted)) return [wanted];
  throw new CapError('CAP_USAGE', `this model does not accept ${wanted}`, {
    hint: `use ${limits.mediaTypes.join(' or ')}`,
  });
}

/** Too many bytes cost time first, then quality, and pixels only then. */
async function encodeWithin(
  view: SizedView,
  mediaTypes: readonly MediaType[],
  quality: number,
  maxBytes: number,
): Promise<EncodedImage> {
  const mediaType = DENSEST.find((type) => mediaTypes.includes(type)) ?? 'image/png';
  const image = await encodeView(view, mediaType, quality);
  if (image.data.length <= maxBytes) return image;
  if (mediaType !== 'image/png' && quality > LOWEST_QUALITY) {
    return encodeWithin(view, mediaTypes, Math.max(LOWEST_QUALITY, quality - QUALITY_STEP), maxBytes);
  }
  const longSidePx = Math.max(view.width, view.height);
  if (longSidePx <= 16) {
    throw new CapError('CAP_PROVIDER_REJECTED', `no image of this frame is within ${maxBytes} bytes`);
  }
  const smaller = await scaleView(view, shrinkInto(view, Math.floor(longSidePx * SHRINK)));
  return encodeWithin(smaller, mediaTypes, quality, maxBytes);
}
