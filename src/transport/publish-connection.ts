import { setTimeout as sleep } from 'node:timers/promises';
import { CapError, once, TypedEvents, toCapError } from '../core/index.js';
import { type DoorStats, type NativeDoor, native, Pipeline } from '../native/index.js';
import type { PublishTarget } from './publish-target.js';
import type { AccessUnitStream } from './shared-stream.js';

export type PublishConnectionEvents = {
  /** The server takes what it is sent. */
  taken: [];
  failed: [error: CapError];
};

/** Two seconds at 30 fps may wait for the server; then whole GOPs are lost. */
const MAX_WAITING_ACCESS_UNITS = 60;
/** Parser, multiplexer and sink take so many before there is a connection. */
const ELEMENTS_HOLD = 4;
const CHECK_INTERVAL_MS = 250;
/** A server that takes nothing for so long, while something waits, is gone. */
const STALL_TIMEOUT_MS = 10_000;
const FINISH_TIMEOUT_MS = 500;

/** One connection to a server that a stream is pushed to, until its first failure. The owner must close it. */
export class PublishConnection extends TypedEvents<PublishConnectionEvents> {
  readonly #target: PublishTarget;
  readonly #pipeline: Pipeline;
  readonly #door: NativeDoor;
  #failed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @throws CAP_DEPENDENCY_MISSING */
  constructor(target: PublishTarget, stream: AccessUnitStream) {
    super();
    this.#target = target;
    this.#pipeline = new Pipeline(`appsrc name=door ! h264parse ! ${target.launch}`, target.properties);
    if (target.joinLists) this.#pipeline.joinLists('out');
    this.#pipeline.on('failed', (error) => void this.#fail(error));
    this.#pipeline.on(
      'ended',
      () => void this.#fail(new CapError('CAP_STREAM_UNAVAILABLE', 'the connection has ended')),
    );
    this.#door = native(
      (addon) => new addon.Door(stream.native, this.#pipeline.native, 'door', MAX_WAITING_ACCESS_UNITS),
    );
    this.#pipeline.play().catch((error: unknown) => this.#fail(toCapError(error)));
    this.#watch(0, performance.now());
  }

  get stats(): DoorStats {
    const { delivered, dropped, waiting } = this.#door.stats();
    return { delivered: delivered - waiting, dropped };
  }

  /** Sends what waits, and the end of the stream, if that is soon done. */
  readonly close = once(async () => {
    clearTimeout(this.#timer);
    const finished = this.#failed
      ? Promise.resolve()
      : new Promise<void>((resolve) => {
          this.#pipeline.once('ended', resolve);
          this.#pipeline.once('failed', () => resolve());
        });
    this.#failed = true;
    this.#door.close();
    await Promise.race([finished, sleep(FINISH_TIMEOUT_MS, undefined, { ref: false })]);
    await this.#pipeline.close();
  });

  #watch(takenBefore: number, sinceMs: number): void {
    this.#timer = setTimeout(() => {
      const { waiting } = this.#door.stats();
      const taken = this.stats.delivered;
      const nowMs = performance.now();
      if (taken > Math.max(takenBefore, ELEMENTS_HOLD)) this.emit('taken');
      if (taken > takenBefore || waiting === 0) {
        this.#watch(taken, nowMs);
      } else if (nowMs - sinceMs < STALL_TIMEOUT_MS) {
        this.#watch(takenBefore, sinceMs);
      } else {
        const message = `the server has taken nothing for ${STALL_TIMEOUT_MS / 1000} seconds`;
        void this.#fail(new CapError('CAP_STREAM_UNAVAILABLE', message));
      }
    }, CHECK_INTERVAL_MS);
  }

  async #fail(error: CapError): Promise<void> {
    if (this.#failed) return;
    this.#failed = true;
    clearTimeout(this.#timer);
    const explained = await this.#target.explain(error);
    const { code, message, cause } = explained;
    // The pipeline is sound, and the name of its element tells nobody anything.
    const ours = code === 'CAP_PIPELINE_FAILED';
    this.emit(
      'failed',
      ours ? new CapError('CAP_STREAM_UNAVAILABLE', message.replace(/^out: /, ''), { cause }) : explained,
    );
  }
}
