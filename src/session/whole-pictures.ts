import sharp, { type OverlayOptions, type Sharp } from 'sharp';
import type { EncodedImage, LedgerEntry } from '../consumer/index.js';
import type { Size } from '../core/index.js';

/** Packed RGB. */
export interface Pixels extends Size {
  readonly data: Buffer;
}

/** Puts the pictures of a ledger together again from the parts that were sent of them, request by request. */
export class WholePictures {
  /** By who was asked: what one model was shown, the next one was not. */
  readonly #wholes = new Map<string, Pixels>();

  /**
   * The whole picture of a request, as the model knew it with its images.
   * @returns undefined when the request that had the whole is not there any more, or had several images of it
   */
  async wholeOf({ provider, model, request }: LedgerEntry, sent: readonly EncodedImage[]): Promise<Pixels | undefined> {
    const key = `${provider} ${model}`;
    const { delta } = request;
    const whole = delta ? this.#wholes.get(key) : await onlyOne(sent);
    this.#wholes.delete(key);
    if (!whole || (delta && (whole.width !== delta.whole.width || whole.height !== delta.whole.height)))
      return undefined;
    const parts = (delta?.regions ?? []).flatMap(({ x, y }, index) => {
      const image = sent[index];
      return image ? [{ input: image.data, left: x, top: y }] : [];
    });
    const pasted = parts.length === 0 ? whole : await pasteInto(whole, parts);
    this.#wholes.set(key, pasted);
    return pasted;
  }
}

async function onlyOne(sent: readonly EncodedImage[]): Promise<Pixels | undefined> {
  return sent.length === 1 && sent[0] ? decode(sent[0]) : undefined;
}

export async function decode({ data }: EncodedImage): Promise<Pixels> {
  return raw(sharp(data).removeAlpha());
}

function pasteInto({ data, width, height }: Pixels, parts: OverlayOptions[]): Promise<Pixels> {
  return raw(
    sharp(data, { raw: { width, height, channels: 3 } })
      .composite(parts)
      .removeAlpha(),
  );
}

async function raw(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
