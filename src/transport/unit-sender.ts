import type { Closable } from '../core/index.js';
import { type DoorStats, type NativeUnitSender, native } from '../native/index.js';
import type { AccessUnitStream } from './shared-stream.js';

/** Where the channels of sound go that belong to the video at `socketName`: counted from 1. */
export const audioSocketName = (socketName: string, channel: number): string => `${socketName}.${channel}`;

/** The door into another process of this machine: see ReceivedStream. */
export class UnitSender implements Closable {
  readonly #native: NativeUnitSender;

  /** Connects, now and whenever the other side was started anew. */
  constructor(stream: AccessUnitStream, socketName: string) {
    this.#native = native((addon) => new addon.UnitSender(stream.native, socketName));
  }

  get stats(): DoorStats & { readonly connected: boolean } {
    return this.#native.stats();
  }

  async close(): Promise<void> {
    this.#native.close();
  }
}
