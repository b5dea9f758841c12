import type { Rect, Size } from '../../core/index.js';

/** Which parts of the whole picture were sent. */
export interface DeltaRecord {
  /** Size of the whole picture, in whose pixels the regions are. */
  readonly whole: Size;
  /** One an image, in the order of the images. */
  readonly regions: readonly Rect[];
  /** Of the images, had the whole picture been sent. */
  readonly wholeTokens: number;
}

/** Stands before the prompt of a request that has parts of the picture alone. */
export function deltaCaption({ whole, regions }: DeltaRecord): string {
  const places = regions.map((rect, index) => `Image ${index + 1}: ${placeOf(rect)}`).join('\n');
  return (
    `You were shown the whole picture, ${whole.width}x${whole.height} pixels, before. The images are the parts of it ` +
    `that have changed since your last answer, as they are now, by their places in the whole picture:\n${places}\n` +
    'All else is as it was.'
  );
}

/** As the request stands in the conversation later, without its images. */
export function deltaRecall({ whole, regions }: DeltaRecord): string {
  return `(Parts of the picture of ${whole.width}x${whole.height} pixels were shown here: ${regions.map(placeOf).join('; ')}.)`;
}

export const wholeRecall = ({ width, height }: Size): string =>
  `(The whole picture was shown here, ${width}x${height} pixels.)`;

const placeOf = ({ x, y, width, height }: Rect): string => `x ${x} to ${x + width}, y ${y} to ${y + height}`;

/** A prompt without the caption, for whoever is shown the whole picture instead. */
export function withoutCaption(prompt: string, record: DeltaRecord): string {
  const caption = `${deltaCaption(record)}\n\n`;
  return prompt.startsWith(caption) ? prompt.slice(caption.length) : prompt;
}
