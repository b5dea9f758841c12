import type { Frame } from '../core/index.js';
import { type Luma, lumaOf } from './changed-regions.js';
import { type ClientModel, clientModelOf } from './client-model.js';
import type { LiveStream } from './live-stream.js';
import type { Screens } from './screens.js';

/** One who asks: which model it has, and what it was shown last. */
export class Client {
  readonly screens: Screens;
  readonly #nameOf: () => string | undefined;
  readonly #seen = new Map<string, Luma>();

  /** @param nameOf what it calls itself, once it has said so */
  constructor(screens: Screens, nameOf: () => string | undefined) {
    this.screens = screens;
    this.#nameOf = nameOf;
  }

  get model(): ClientModel {
    return clientModelOf(this.#nameOf(), this.screens.options.clientModel);
  }

  /** The picture of a stream that it was shown last. */
  seen(stream: LiveStream): Luma | undefined {
    return this.#seen.get(stream.name);
  }

  /** Notes that it is shown this picture now. */
  async see(stream: LiveStream, frame: Frame, luma: Luma = lumaOf(frame)): Promise<void> {
    this.#seen.set(stream.name, luma);
    await this.screens.past.see(stream.name, frame, luma);
  }
}
