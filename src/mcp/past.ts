import sharp from 'sharp';
import type { Frame, Size } from '../core/index.js';
import { changedRegions, type Luma, lumaOf } from './changed-regions.js';

/** A picture that was on a screen, as a JPEG file. */
export interface PastPicture extends Size {
  readonly stream: string;
  /** When it was captured or received, in milliseconds since 1970. */
  readonly atMs: number;
  readonly frameNumber: number;
  readonly jpeg: Buffer;
}

/** What a model said about a screen. */
export interface PastAnswer {
  readonly stream: string;
  readonly atMs: number;
  readonly text: string;
}

export interface PastLimits {
  readonly pictures: number;
  readonly bytes: number;
  readonly answers: number;
}

/** Some hours of a desktop on which somebody works, or a minute of a film. */
const LIMITS: PastLimits = { pictures: 360, bytes: 64 << 20, answers: 500 };
const MOST_ANSWER_CHARACTERS = 2000;
const QUALITY = 85;

/** What was seen of streams and said about them, the newest of it: a picture only where the screen had changed. */
export class Past {
  readonly #limits: PastLimits;
  readonly #pictures: PastPicture[] = [];
  readonly #answers: PastAnswer[] = [];
  readonly #last = new Map<string, Luma>();
  #bytes = 0;

  constructor(limits: PastLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Keeps the picture if it shows something else than the one before; resolves to whether it does. */
  async see(stream: string, frame: Frame, luma: Luma = lumaOf(frame)): Promise<boolean> {
    const last = this.#last.get(stream);
    if (last && changedRegions(last, luma).length === 0) return false;
    this.#last.set(stream, luma);
    const { data, width, height } = frame;
    const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: QUALITY, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const capturedUs = frame.metadata?.capturedWallUs ?? frame.receivedWallUs;
    const frameNumber = frame.metadata?.frameNumber ?? frame.sequence;
    this.#pictures.push({ stream, atMs: Number(capturedUs / 1000n), frameNumber, jpeg, width, height });
    this.#bytes += jpeg.length;
    while (this.#pictures.length > this.#limits.pictures || this.#bytes > this.#limits.bytes) {
      this.#bytes -= this.#pictures.shift()?.jpeg.length ?? 0;
    }
    return true;
  }

  hear(stream: string, text: string): void {
    this.#answers.push({ stream, atMs: Date.now(), text: text.slice(0, MOST_ANSWER_CHARACTERS) });
    if (this.#answers.length > this.#limits.answers) this.#answers.shift();
  }

  /** Since then, oldest first, with the picture that was still on the screen then. */
  picturesSince(stream: string, sinceMs: number): PastPicture[] {
    const pictures = this.#pictures.filter((picture) => picture.stream === stream);
    const first = pictures.findIndex(({ atMs }) => atMs >= sinceMs);
    return first < 0 ? pictures.slice(-1) : pictures.slice(Math.max(0, first - 1));
  }

  answersSince(stream: string, sinceMs: number): PastAnswer[] {
    return this.#answers.filter((answer) => answer.stream === stream && answer.atMs >= sinceMs);
  }
}

/** `count` of them, spread over the time that they span, the first and the last among them. */
export function spread<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count) return [...items];
  const last = items.length - 1;
  const places = new Set(
    Array.from({ length: count }, (_, index) => (count === 1 ? last : Math.round((index * last) / (count - 1)))),
  );
  return items.filter((_, index) => places.has(index));
}
