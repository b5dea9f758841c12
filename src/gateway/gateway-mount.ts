import { fileURLToPath } from 'node:url';
import { type CapError, type Closable, type Logger, once } from '../core/index.js';
import type { AdaptedStream, RateAdaptation, StreamRate } from '../session/index.js';
import { Worker } from './worker.js';
import type { CaptureCalls, CaptureDescription, CaptureOptions } from './worker-calls.js';

/** One source of the gateway and the path that it is served at. */
export interface MountOptions extends CaptureOptions {
  /** `/desk`, `/lab/door`. */
  readonly path: string;
  /** Readers of this mount at a time, 1 to 1000. @default the server's */
  readonly maxReaders?: number | undefined;
}

const PROGRAM = fileURLToPath(new URL('./capture-worker.js', import.meta.url));

/** A mount with its capture worker. */
export class GatewayMount implements Closable {
  readonly options: MountOptions;
  /** Where its stream arrives in the door worker. */
  readonly socketName: string;
  readonly worker: Worker<CaptureCalls>;
  /** What is captured; undefined until it has been for the first time. */
  description: CaptureDescription | undefined;
  /** Why nothing is captured at present. */
  failure: CapError | undefined;
  readonly #adaptation: RateAdaptation;
  #leaveAdaptation = (): void => {};

  constructor(options: MountOptions, socketName: string, adaptation: RateAdaptation, logger: Logger) {
    this.options = options;
    this.socketName = socketName;
    this.#adaptation = adaptation;
    const { path, maxReaders: _, ...capture } = options;
    this.worker = new Worker<CaptureCalls>({
      name: `the capture of ${path}`,
      program: PROGRAM,
      prepare: async (remote) => {
        this.description = await remote.open(capture, socketName);
        this.failure = undefined;
      },
      logger: logger.child({ mount: path }),
    });
    this.worker.on('ready', () => this.#adapt());
    this.worker.on('died', (error) => {
      this.failure = error;
      this.#leaveAdaptation();
    });
  }

  /** What bounds its bits at present; undefined while that is not known, or when it is passed on as it comes. */
  get rate(): StreamRate | undefined {
    const ceiling = this.description?.rate;
    return ceiling && this.options.quality === 'auto' ? this.#adaptation.rateOf(ceiling) : ceiling;
  }

  readonly close = once(() => {
    this.#leaveAdaptation();
    return this.worker.close();
  });

  #adapt(): void {
    this.#leaveAdaptation();
    const ceiling = this.description?.rate;
    if (this.options.quality !== 'auto' || !ceiling) return;
    // A process that has just died is started again, and then told.
    const stream: AdaptedStream = {
      path: this.options.path,
      ceiling,
      encodedBytes: async () => (await this.worker.remote?.stats().catch(() => undefined))?.encodedBytes,
      setRate: async (rate) => this.worker.remote?.setRate(rate).catch(() => {}),
    };
    this.#leaveAdaptation = this.#adaptation.add(stream);
  }
}
