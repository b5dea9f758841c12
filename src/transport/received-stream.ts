import type { Closable } from '../core/index.js';
import { type HubStats, type NativeHub, type NativeUnitReceiver, native } from '../native/index.js';
import type { AccessUnitStream } from './shared-stream.js';

/** A stream that another process of this machine captures and encodes, and sends with a UnitSender. */
export class ReceivedStream implements AccessUnitStream, Closable {
  readonly native: NativeHub;
  readonly #receiver: NativeUnitReceiver;

  /**
   * Listens from construction on. Senders may come and go; the stream, and who reads it, stays.
   * @param socketPath of a Unix socket, in a folder that nobody else may enter; what is there is replaced
   * @throws CAP_PIPELINE_FAILED
   */
  constructor(socketPath: string) {
    this.#receiver = native((addon) => new addon.UnitReceiver(socketPath));
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
