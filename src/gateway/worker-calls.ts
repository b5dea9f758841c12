import type { CapError, LogLevel } from '../core/index.js';
import type { CaptureSessionOptions, CaptureStats, RtspServer, RtspServerOptions } from '../session/index.js';

/** Options that can be sent to another process. */
export type Sendable<Options> = Omit<Options, 'logger'>;

/** A capture as its worker describes it once it runs. */
export interface CaptureDescription {
  /** For people: what is captured. */
  readonly label: string;
  /** For people: how it is scaled and to what size, `p4 960x540`. */
  readonly picture: string;
}

/** What the gateway asks of a capture worker: one source, captured and encoded. */
export interface CaptureCalls {
  /** Resolves with the first coded frame; the stream is sent to the ReceivedStream at `socketPath`. */
  open(options: Sendable<CaptureSessionOptions>, socketPath: string): Promise<CaptureDescription>;
  stats(): CaptureStats;
}

/** Where readers find the door worker. */
export interface DoorDescription {
  readonly port: number;
  /** `rtsp://127.0.0.1:8554`, without a path. */
  readonly url: string;
}

/** What the gateway asks of the door worker, which serves every mount. */
export interface DoorCalls {
  /** @param folder of the sockets; removed when the gateway was killed */
  open(options: Sendable<RtspServerOptions>, folder: string): DoorDescription;
  /** Takes the mount's stream at `socketPath` and serves it once it arrives; again is no fault. */
  serve(path: string, socketPath: string): Promise<void>;
  remove(path: string): Promise<void>;
  stats(): RtspServer['stats'];
}

/** What any worker tells the gateway. */
export interface GatewayCalls {
  log(level: LogLevel, message: string, fields: Record<string, unknown> | undefined): void;
  /** The worker has ended its work for good, and its process is about to end. */
  failed(error: CapError): void;
}
