import { createHash } from 'node:crypto';
import { type Adaptor, openAdaptor } from 'cap-gateway';
import sharp from 'sharp';
import type { Rect, Size } from '../../src/core/index.js';
import type { Change, Desktop } from './desktop.js';
import { areaOf, grow, intersection } from './pixels.js';
import type { Sent } from './recording-adaptor.js';
import { inImage, seenParts } from './seen-parts.js';

/** Of the words of a fact; its numbers have to be all there. */
const MOST_WORDS = 0.75;
const AROUND_PX = 24;
const LEAST_PX = 64;
/** Of the place of a fact, in one image. */
const LEAST_SHARE = 0.1;

/** The local reader, which is asked about each picture once. */
export class Reading implements AsyncDisposable {
  readonly #adaptor: Adaptor;
  readonly #read = new Map<string, Promise<string>>();

  private constructor(adaptor: Adaptor) {
    this.#adaptor = adaptor;
  }

  static async open(): Promise<Reading> {
    return new Reading(await openAdaptor('local'));
  }

  /** Whether the fact of a change can be read in what was sent, in one image or in several that share its place. */
  async hasFact(request: Sent, { fact }: Change, screen: Size): Promise<boolean> {
    if (!fact) return false;
    const texts: string[] = [];
    for (const seen of seenParts(request, screen)) {
      const common = intersection(seen.part, fact.rect);
      if (!common || areaOf(common) < LEAST_SHARE * areaOf(fact.rect)) continue;
      texts.push(await this.#text(await cutForReading(seen.image.data, inImage(seen, common), seen.image)));
    }
    return hasFact(texts.join(' '), fact.text);
  }

  /** How many characters of the words on the screen can be read in what was sent, each as often as it stands there. */
  async characters(request: Sent, desktop: Desktop): Promise<number> {
    const found: string[] = [];
    for (const image of request.images) found.push(...wordsOf(await this.#text(image.data)));
    const left = new Map<string, number>();
    for (const word of wordsOf(desktop.textAt(request.atMs).join(' '))) left.set(word, (left.get(word) ?? 0) + 1);
    let count = 0;
    for (const word of found) {
      const times = left.get(word) ?? 0;
      if (times === 0) continue;
      left.set(word, times - 1);
      count += word.length;
    }
    return count;
  }

  async #text(data: Buffer): Promise<string> {
    const key = createHash('sha256').update(data).digest('hex');
    const reading = this.#read.get(key) ?? this.#ask(data);
    this.#read.set(key, reading);
    return reading;
  }

  async #ask(data: Buffer): Promise<string> {
    const { width = 1, height = 1 } = await sharp(data).metadata();
    const image = { data, mediaType: 'image/png', width, height } as const;
    return (await this.#adaptor.ask({ prompt: '', images: [image] })).text;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#adaptor.close();
  }
}

/** With what is around it, as the reader finds no line that fills its picture. */
async function cutForReading(image: Buffer, place: Rect, size: Size): Promise<Buffer> {
  const { x, y, width, height } = grow(place, AROUND_PX, size);
  const cut = sharp(image).removeAlpha().extract({ left: x, top: y, width, height });
  const [right, bottom] = [Math.max(0, LEAST_PX - width), Math.max(0, LEAST_PX - height)];
  return cut.extend({ right, bottom, extendWith: 'copy' }).png({ compressionLevel: 1 }).toBuffer();
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

function hasFact(text: string, fact: string): boolean {
  const found = new Set(wordsOf(text));
  const words = wordsOf(fact);
  const numbers = words.filter((word) => /^\d+$/.test(word));
  const hits = words.filter((word) => found.has(word)).length;
  return numbers.every((word) => found.has(word)) && hits >= MOST_WORDS * words.length;
}
