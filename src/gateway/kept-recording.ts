import { type Closable, type Logger, once, toCapError } from '../core/index.js';
import type { CaptureSession, Mp4Recorder, Mp4RecorderStats } from '../session/index.js';
import type { MountRecordOptions } from './worker-calls.js';

const FIRST_RETRY_MS = 5000;
const LAST_RETRY_MS = 300_000;

/** Records a session for as long as it lasts: a recording that failed is begun again, after growing pauses. */
export class KeptRecording implements Closable {
  readonly #session: CaptureSession;
  readonly #options: MountRecordOptions;
  readonly #logger: Logger;
  #recorder: Mp4Recorder | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #earlier: Mp4RecorderStats | undefined;
  #closed = false;

  constructor(session: CaptureSession, options: MountRecordOptions, logger: Logger) {
    this.#session = session;
    this.#options = options;
    this.#logger = logger;
    void this.#record();
  }

  /** Since it began, whatever failed between. */
  get stats(): Mp4RecorderStats | undefined {
    return sum(this.#earlier, this.#recorder?.stats);
  }

  readonly close = once(async () => {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#recorder?.close();
  });

  async #record(): Promise<void> {
    const { file, ...options } = this.#options;
    try {
      const recorder = await this.#session.record(file, options);
      this.#recorder = recorder;
      recorder.on('finished', () => {
        this.#retryMs = FIRST_RETRY_MS;
      });
      recorder.on('failed', (error) => void this.#retry(error));
      if (this.#closed) await recorder.close();
    } catch (error) {
      await this.#retry(error);
    }
  }

  async #retry(reason: unknown): Promise<void> {
    const recorder = this.#recorder;
    this.#recorder = undefined;
    await recorder?.close().catch(() => {}); // it has emitted what is wrong
    this.#earlier = sum(this.#earlier, recorder?.stats ?? NOT_OPENED);
    if (this.#closed) return;
    const { message, hint } = toCapError(reason);
    this.#logger.error(`${message}${hint ? ` (${hint})` : ''}; trying again in ${this.#retryMs / 1000} s`);
    this.#timer = setTimeout(() => void this.#record(), this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
  }
}

const NOT_OPENED: Mp4RecorderStats = { delivered: 0, dropped: 0, bytes: 0, segments: 0, writeErrors: 1, removed: 0 };

function sum(one: Mp4RecorderStats | undefined, other: Mp4RecorderStats | undefined): Mp4RecorderStats | undefined {
  if (!one || !other) return one ?? other;
  return {
    delivered: one.delivered + other.delivered,
    dropped: one.dropped + other.dropped,
    bytes: one.bytes + other.bytes,
    segments: one.segments + other.segments,
    writeErrors: one.writeErrors + other.writeErrors,
    removed: one.removed + other.removed,
  };
}
