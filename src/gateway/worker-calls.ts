import type { CapError, LogLevel } from '../core/index.js';
import type { HttpOptions, HttpStats } from '../server/index.js';
import type {
  AudioTrackDescription,
  CaptureSessionOptions,
  CaptureStats,
  PublishSecrets,
  ReaderReport,
  RecordOptions,
  RtspMountOptions,
  RtspServer,
  RtspServerOptions,
  StreamRate,
} from '../session/index.js';

/** Options that can be sent to another process. */
export type Sendable<Options> = Omit<Options, 'logger'>;

/** A capture as its worker describes it once it runs. */
export interface CaptureDescription {
  /** For people: what is captured. */
  readonly label: string;
  /** For people: how it is scaled and to what size, `p4 960x540 at 30 fps`. */
  readonly picture: string;
  /** What bounds its bits at first; undefined when it is passed on as it comes. */
  readonly rate: StreamRate | undefined;
  /** Its channels of sound, each sent to the ReceivedStream at `audioSocketName`. */
  readonly audio: readonly AudioTrackDescription[];
}

/** A mount as the door worker is told of it. */
export interface ServedMount {
  readonly path: string;
  /** Where its stream arrives. */
  readonly socketName: string;
  /** For people: what is captured. */
  readonly label: string;
  readonly audio: readonly AudioTrackDescription[];
  readonly limits: Omit<RtspMountOptions, 'audio'>;
}

/** What a capture worker captures, and where it pushes that. */
export interface CaptureOptions extends Sendable<CaptureSessionOptions>, PublishSecrets {
  /** Addresses of servers: `rtsp://`, `rtmp://`, `srt://`, `whip+http://`, `whip+https://`. @default none */
  readonly publish?: readonly string[] | undefined;
  /** Into which files it is recorded, all the time. @default none */
  readonly record?: MountRecordOptions | undefined;
}

/** How a mount is recorded. */
export interface MountRecordOptions extends RecordOptions {
  /** A name or a template of names: `rec/{mount}/%Y-%m-%d/%H-%M-%S.mp4`. */
  readonly file: string;
}

/** What the gateway asks of a capture worker: one source, captured and encoded. */
export interface CaptureCalls {
  /** Resolves with the first coded frame; the stream is sent to the ReceivedStream at `socketName`. */
  open(options: CaptureOptions, socketName: string): Promise<CaptureDescription>;
  stats(): CaptureStats;
  setRate(rate: StreamRate): void;
}

/** Where the door worker listens. */
export interface DoorOptions {
  readonly rtsp: Sendable<RtspServerOptions>;
  /** Undefined: not at all. */
  readonly http: Sendable<HttpOptions> | undefined;
}

/** Where readers find the door worker. */
export interface DoorDescription {
  /** `rtsp://127.0.0.1:8554` and `rtsps://127.0.0.1:8322`, whichever is served, without a path. */
  readonly rtspUrls: readonly string[];
  /** `http://127.0.0.1:8889`, or with `https:`. */
  readonly httpUrl: string | undefined;
}

/** What the gateway asks of the door worker, which serves every mount. */
export interface DoorCalls {
  open(options: DoorOptions): Promise<DoorDescription>;
  /** Takes the mount's stream and serves it once it arrives; again is no fault. */
  serve(mount: ServedMount): Promise<void>;
  /** What bounds the mount's bits from now on, for who asks. */
  noteRate(path: string, rate: StreamRate | undefined): void;
  /** How all readers fare at present. */
  readerReports(): readonly ReaderReport[];
  remove(path: string): Promise<void>;
  stats(): { readonly rtsp: RtspServer['stats']; readonly http: HttpStats | undefined };
  kick(id: number): boolean;
}

/** What any worker tells the gateway. */
export interface GatewayCalls {
  log(level: LogLevel, message: string, fields: Record<string, unknown> | undefined): void;
  /** The worker has ended its work for good, and its process is about to end. */
  failed(error: CapError): void;
}
