import type { Closable } from '../core/index.js';
import { type DoorStats, type NativeDoor, native } from '../native/index.js';
import type { AccessUnitStream } from './shared-stream.js';

/** A coded picture, H.264 in byte-stream format. Whoever gets it shares it with others: nobody writes to it. */
export interface AccessUnit {
  readonly bytes: Buffer;
  /** Microseconds by the monotonic clock. */
  readonly capturedUs: number;
  readonly key: boolean;
}

/** Access units that may wait for JavaScript; beyond it whole GOPs are dropped. */
const MAX_WAITING_ACCESS_UNITS = 30;

/** The door into JavaScript, for who sends access units on without GStreamer. The first one is a key frame. */
export class UnitTap implements Closable {
  readonly #native: NativeDoor;

  constructor(stream: AccessUnitStream, listener: (unit: AccessUnit) => void) {
    this.#native = native(
      (addon) =>
        new addon.UnitTap(stream.native, MAX_WAITING_ACCESS_UNITS, (bytes, capturedUs, key) =>
          listener({ bytes, capturedUs, key }),
        ),
    );
  }

  get stats(): DoorStats {
    return this.#native.stats();
  }

  async close(): Promise<void> {
    this.#native.close();
  }
}
