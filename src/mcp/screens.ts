import { type Adaptor, openAdaptor } from '../consumer/index.js';
import type { TextReader } from '../consumer/ocr/page-reader.js';
import { openTextReader } from '../consumer/ocr/process-reader.js';
import { type Closable, closeAll, type Logger, once, unexpected } from '../core/index.js';
import type { DisplayChoice, ModelOptions } from '../session/index.js';
import { ChangeFollower } from './change-follower.js';
import type { LiveStream } from './live-stream.js';
import { Past } from './past.js';

export interface ScreensOptions {
  /** Closed with it. */
  readonly streams: readonly LiveStream[];
  /** Who answers `watch` and `ask_past`. @default the local reader */
  readonly model?: ModelOptions | undefined;
  /** The model that clients have. @default by the name that each gives itself */
  readonly clientModel?: string | undefined;
  /** Whether what changes is kept all the time while a client is there, also while none looks. @default false */
  readonly remember?: boolean | undefined;
  /** The display whose monitors and windows may be listed; undefined where they are nobody's business. */
  readonly display?: DisplayChoice | undefined;
  readonly logger: Logger;
}

/** What every client of a process shares: the streams, the model, the reader, and what was seen. */
export class Screens implements Closable {
  readonly options: ScreensOptions;
  readonly past = new Past();
  readonly #followers = new Map<string, Set<() => void>>();
  readonly #follows = new Map<string, ChangeFollower>();
  #clients = 0;
  #adaptor: Promise<Adaptor> | undefined;
  #reader: Promise<TextReader> | undefined;

  constructor(options: ScreensOptions) {
    this.options = options;
  }

  /** The one of that name, or the first. @throws CAP_USAGE */
  stream(name?: string): LiveStream {
    const { streams } = this.options;
    const found = name === undefined ? streams[0] : streams.find((stream) => stream.name === name);
    if (!found) throw unexpected('stream', `one of ${streams.map((stream) => stream.name).join(', ')}`, name);
    return found;
  }

  /** The provider of `watch` and `ask_past`, opened when it is first asked. @throws CAP_PROVIDER_AUTH, CAP_USAGE */
  adaptor(): Promise<Adaptor> {
    const { model: { provider = 'local', ...model } = {}, logger } = this.options;
    this.#adaptor ??= openAdaptor(provider, { logger, ...model }).catch((error: unknown) => {
      this.#adaptor = undefined;
      throw error;
    });
    return this.#adaptor;
  }

  /** @throws CAP_DEPENDENCY_MISSING */
  reader(): Promise<TextReader> {
    this.#reader ??= openTextReader().catch((error: unknown) => {
      this.#reader = undefined;
      throw error;
    });
    return this.#reader;
  }

  /** Counts a client; the result counts it off. */
  join(): () => void {
    this.#clients += 1;
    this.#update();
    return () => {
      this.#clients -= 1;
      this.#update();
    };
  }

  /** Has `changed` called whenever the stream shows something else; the result ends it. */
  follow(stream: string, changed: () => void): () => void {
    const followers = this.#followers.get(stream) ?? new Set();
    this.#followers.set(stream, followers.add(changed));
    this.#update();
    return () => {
      followers.delete(changed);
      this.#update();
    };
  }

  readonly close = once(async () => {
    this.#clients = 0;
    this.#followers.clear();
    const follows = [...this.#follows.values()];
    const models = await Promise.all([this.#adaptor, this.#reader].map((opening) => opening?.catch(() => undefined)));
    await closeAll([...follows, ...this.options.streams, ...models]);
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A stream is looked at all the time only where somebody wants to hear of it. */
  #update(): void {
    const { streams, remember = false, logger } = this.options;
    for (const stream of streams) {
      const wanted = (remember && this.#clients > 0) || (this.#followers.get(stream.name)?.size ?? 0) > 0;
      const follow = this.#follows.get(stream.name);
      if (wanted && !follow) {
        const changed = (): void => {
          for (const tell of this.#followers.get(stream.name) ?? []) tell();
        };
        this.#follows.set(stream.name, new ChangeFollower(stream, this.past, changed, logger));
      } else if (!wanted && follow) {
        this.#follows.delete(stream.name);
        void follow.close();
      }
    }
  }
}
