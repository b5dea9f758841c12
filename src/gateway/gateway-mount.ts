import { fileURLToPath } from 'node:url';
import { type CapError, type Closable, type Logger, once } from '../core/index.js';
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

  constructor(options: MountOptions, socketName: string, logger: Logger) {
    this.options = options;
    this.socketName = socketName;
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
    this.worker.on('died', (error) => {
      this.failure = error;
    });
  }

  readonly close = once(() => this.worker.close());
}
