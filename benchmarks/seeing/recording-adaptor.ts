import { setTimeout as sleep } from 'node:timers/promises';
import { type Adaptor, type AdaptorAnswer, type AdaptorRequest, profileOf } from 'cap-gateway';
import type { Size } from '../../src/core/index.js';

/** A request as it left. */
export interface Sent extends Pick<AdaptorRequest, 'images' | 'delta'> {
  /** In milliseconds of `performance.now()`. */
  readonly atMs: number;
  /** Of the images, by the model's formula. */
  readonly tokens: number;
  /** Of the prompt and of what was said before, at four bytes a token. */
  readonly textTokens: number;
}

export const MODEL = 'claude-opus-4-7';
/** A fast model's answer. */
const ANSWERS_AFTER_MS = 500;
/** As long as a usual answer: with deltas the model is told it again. */
const WORDS =
  'The user works with a terminal and a browser next to each other. A line has been added at the bottom of the page, ' +
  'which says that an order was sent. Nothing else has changed, and there is no error on the screen.';

/** Keeps what it is asked, and answers after a while. */
export class RecordingAdaptor implements Adaptor {
  readonly provider = 'anthropic';
  readonly model = MODEL;
  readonly limits = profileOf('anthropic', MODEL).limits;
  readonly sent: Sent[] = [];

  imageCost(size: Size) {
    return profileOf('anthropic', MODEL).formula(size, 'high');
  }

  async ask({ images, delta, prompt, history = [], signal }: AdaptorRequest): Promise<AdaptorAnswer> {
    const texts = [prompt, ...history.flatMap((exchange) => [exchange.prompt, exchange.answer])];
    this.record(images, texts.join(''), delta);
    await sleep(ANSWERS_AFTER_MS, undefined, signal ? { signal } : {});
    return { text: WORDS, model: MODEL };
  }

  record(images: Sent['images'], text: string, delta?: Sent['delta']): void {
    const tokens = images.reduce((sum, image) => sum + this.imageCost(image).tokens, 0);
    const textTokens = Math.ceil(Buffer.byteLength(text) / 4);
    this.sent.push({ atMs: performance.now(), images, tokens, textTokens, ...(delta ? { delta } : {}) });
  }

  async close(): Promise<void> {}
}
