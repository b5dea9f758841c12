import type { FrameSource } from '../frame-source.js';
import type { WatchAccounts } from '../watch-accounts.js';
import type { Pick, Picker } from './frame-picker.js';

/** Picks the newest frame there is when it is asked, whatever it shows. */
export class NewestPicker implements Picker {
  readonly #source: FrameSource;
  readonly #accounts: WatchAccounts;

  constructor(source: FrameSource, accounts: WatchAccounts) {
    this.#source = source;
    this.#accounts = accounts;
  }

  async run(): Promise<void> {}

  async ready(): Promise<void> {}

  async pick(signal: AbortSignal): Promise<Pick> {
    const frame = await this.#source.next({ afterSequence: this.#accounts.lastSequence, signal });
    this.#accounts.take(frame.sequence);
    return { frame, reason: 'ungated' };
  }

  delivered(): void {}

  lost(): void {}
}
