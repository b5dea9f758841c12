import type { CapError, Closable, TypedEvents } from '../core/index.js';
import type { DoorStats } from '../native/index.js';

export type PublishConnectionEvents = {
  /** The server takes what it is sent. */
  taken: [];
  failed: [error: CapError];
};

/** One connection to a server that a stream is pushed to, until its first failure. The owner must close it. */
export interface PublishConnection extends TypedEvents<PublishConnectionEvents>, Closable {
  readonly stats: DoorStats;
}
