import { CapError, type Frame, type Size } from '../core/index.js';
import type { Adaptor, EncodedImage } from './adaptor.js';
import { type View, viewsOf } from './gundam-views.js';
import { encodeView } from './image-encoding.js';
import type { ImageLimits, MediaType } from './models.js';
import { shrinkInto } from './tokens/formula.js';

/** How the images of a frame are encoded. */
export interface FitOptions {
  /** What to encode as, among what the model accepts. @default the model's first choice, JPEG for most */
  readonly mediaType?: MediaType;
  /** First quality tried for JPEG and WebP, 1 to 100; lower ones follow when the bytes are too many. @default 90 */
  readonly quality?: number;
}

/** What is sent of a frame: one image, or the views of a Gundam composite. */
export interface FittedImages {
  readonly images: readonly EncodedImage[];
  /** By the provider's own formula, for the sizes that are sent. */
  readonly estimatedTokens: number;
  /** Says how several images belong together. */
  readonly caption?: string;
}

type Target = Pick<Adaptor, 'limits' | 'imageCost'>;

const QUALITY_STEP = 15;
const LOWEST_QUALITY = 45;
const SHRINK = 0.8;
/** Base64 makes four bytes of three. */
const BASE64 = 4 / 3;

/**
 * Makes the images of a frame that a model accepts and gains from: within its limits of edge, pixels, bytes
 * and count, no larger than the size to which the provider would scale it anyway, and never scaled up.
 */
export async function fitFrame(frame: Frame, target: Target, options: FitOptions = {}): Promise<FittedImages> {
  const { limits } = target;
  const mediaType = chooseMediaType(limits, options.mediaType);
  const { views, caption } = viewsOf(frame, limits.maxImages);
  const maxBytes = Math.min(limits.maxImageBytes, Math.floor(limits.maxRequestBytes / BASE64 / views.length));
  const images = await Promise.all(
    views.map((view) =>
      encodeWithin(frame, view, fitSize(view.size, target), mediaType, options.quality ?? 90, maxBytes),
    ),
  );
  const estimatedTokens = images.reduce((sum, image) => sum + target.imageCost(image).tokens, 0);
  return { images, estimatedTokens, ...(caption === undefined ? {} : { caption }) };
}

/** The largest size that the limits allow and the provider really looks at; never larger than `size`. */
function fitSize(size: Size, target: Target): Size {
  const { limits } = target;
  let fitted = shrinkInto(size, limits.maxEdgePx);
  const area = fitted.width * fitted.height;
  if (limits.maxPixels !== undefined && area > limits.maxPixels) {
    const scale = Math.sqrt(limits.maxPixels / area);
    fitted = {
      width: Math.max(1, Math.floor(fitted.width * scale)),
      height: Math.max(1, Math.floor(fitted.height * scale)),
    };
  }
  return target.imageCost(fitted).seen;
}

function chooseMediaType(limits: ImageLimits, wanted: MediaType | undefined): MediaType {
  const [first] = limits.mediaTypes;
  const chosen = wanted ?? first;
  if (!chosen || !limits.mediaTypes.includes(chosen)) {
    throw new CapError('CAP_USAGE', `this model does not accept ${chosen ?? 'images'}`, {
      hint: `use ${limits.mediaTypes.join(' or ')}`,
    });
  }
  return chosen;
}

/** Too many bytes cost quality first and pixels only then. */
async function encodeWithin(
  frame: Frame,
  view: View,
  size: Size,
  mediaType: MediaType,
  quality: number,
  maxBytes: number,
): Promise<EncodedImage> {
  const image = await encodeView(frame, view, size, mediaType, quality);
  if (image.data.length <= maxBytes) return image;
  if (mediaType !== 'image/png' && quality > LOWEST_QUALITY) {
    const lower = Math.max(LOWEST_QUALITY, quality - QUALITY_STEP);
    return encodeWithin(frame, view, size, mediaType, lower, maxBytes);
  }
  if (Math.max(size.width, size.height) <= 16) {
    throw new CapError('CAP_PROVIDER_REJECTED', `no image of this frame is within ${maxBytes} bytes`);
  }
  const smaller = shrinkInto(size, Math.floor(Math.max(size.width, size.height) * SHRINK));
  return encodeWithin(frame, view, smaller, mediaType, quality, maxBytes);
}
