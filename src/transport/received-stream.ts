import type { Closable } from '../core/index.js';
import { type HubStats, type NativeHub, type NativeUnitReceiver, native } from '../native/index.js';
import type { AccessUnitStream } from './shared-stream.js';

/** A stream that another process of this machine captures and encodes, and sends with a UnitSender. */
export class ReceivedStream implements AccessUnitStream, Closable {
  readonly native: NativeHub;
  readonly #receiver: NativeUnitReceiver;

  /**
   * Listens from construction on. Senders may come and go; the stream, and who reads it, stays.
   * @param socketName of Linux's abstract namespace, 107 bytes at most; only processes of the same user are let in
   * @throws CAP_PIPELINE_FAILED
   */
  constructor(socketName: string) {
    this.#receiver = native((addon) => new addon.UnitReceiver(socketName));
    this.native = native((addon) => new addon.AccessUnitHub(this.#receiver));
  }

  requestKeyFrame(): void {
    this.native.requestKeyFrame();
  }

  get stats(): HubStats {
    return this.native.stats();
  }

  async close(): Promise<void> {
    this.#receiver.close();
  }
}
