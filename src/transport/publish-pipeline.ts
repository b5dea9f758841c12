import { setTimeout as sleep } from 'node:timers/promises';
import { CapError, once, TypedEvents, toCapError } from '../core/index.js';
import { type DoorStats, type ElementProperties, type NativeDoor, native, Pipeline } from '../native/index.js';
import type { PublishConnection, PublishConnectionEvents } from './publish-connection.js';
import type { AccessUnitStream } from './shared-stream.js';

/** What pushes to a server, in GStreamer's terms. */
export interface PublishPipelineOptions {
  /** In words, why a connection failed. Never rejects. */
  explain(error: CapError): Promise<CapError>;
  /** From the appsrc's byte stream to the server. */
  readonly launch: string;
  readonly properties: ElementProperties;
  /** Whether `out` wants each picture as one buffer. */
  readonly joinLists?: boolean;
}

/** Two seconds at 30 fps may wait for the server; then whole GOPs are lost. */
const MAX_WAITING_ACCESS_UNITS = 60;
/** Parser, multiplexer and sink take so many before there is a connection. */
const ELEMENTS_HOLD = 4;
const CHECK_INTERVAL_MS = 250;
/** A server that takes nothing for so long, while something waits, is gone. */
const STALL_TIMEOUT_MS = 10_000;
const FINISH_TIMEOUT_MS = 500;

/** A connection that a GStreamer element makes. */
export class PublishPipeline extends TypedEvents<PublishConnectionEvents> implements PublishConnection {
  readonly #target: PublishPipelineOptions;
  readonly #pipeline: Pipeline;
  readonly #door: NativeDoor;
  #failed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @throws CAP_DEPENDENCY_MISSING */
  constructor(target: PublishPipelineOptions, stream: AccessUnitStream) {
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
