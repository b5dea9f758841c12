import { type Closable, type Rect, TypedEvents } from '../core/index.js';
import { type NativeRedactionOptions, type NativeRedactor, type NativeUnreadPicture, native } from './addon.js';
import type { Pipeline } from './pipeline.js';

export type RedactorEvents = {
  /** There is something to read. */
  unread: [];
};

/** What is masked by a pipeline's capredact, and the pictures in which text is looked for. */
export class Redactor extends TypedEvents<RedactorEvents> implements Closable {
  readonly #native: NativeRedactor;
  #closed = false;

  /** Until then the element masks the whole picture. */
  constructor(pipeline: Pipeline, element: string, options: NativeRedactionOptions) {
    super();
    const onUnread = (): void => {
      if (!this.#closed) this.emit('unread');
    };
    this.#native = native((addon) => new addon.Redactor(pipeline.native, element, options, onUnread));
  }

  get stats(): { readonly maskedPixels: number; readonly unreadPixels: number } {
    return this.#native.stats();
  }

  /** The next picture to read; undefined when there is none at present. */
  take(): NativeUnreadPicture | undefined {
    return (this.#closed ? null : this.#native.take()) ?? undefined;
  }

  /** What was taken has been read: these rectangles of the source's picture are masked, the rest of it may be shown. */
  settle(matched: readonly Rect[]): void {
    if (!this.#closed) this.#native.settle(matched);
  }

  /** What was taken could not be read: until something has been, nothing is shown that was not. */
  fail(): void {
    if (!this.#closed) this.#native.fail();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#native.close();
  }
}
