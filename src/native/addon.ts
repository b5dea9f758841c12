import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CapError } from '../core/index.js';
import { fromNative } from './failure.js';

/** An event as the addon posts it: a type and plain fields. */
export interface NativeEvent {
  readonly type: string;
  readonly [field: string]: string | number | boolean;
}

export type NativeListener = (event: NativeEvent) => void;

/** Properties to set on named elements, values as GStreamer's text form. */
export type ElementProperties = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Who says what changed since the frame before: the source, and else, or always, its pictures when they are compared. */
export type DamageFrom = 'source' | 'pictures';

export interface NativePipeline {
  play(): Promise<void>;
  rest(): Promise<void>;
  close(): Promise<void>;
  sendEos(): void;
  rewind(): Promise<void>;
  setProperty(element: string, property: string, value: string): void;
  stampFrames(element: string, damage?: DamageFrom): void;
  joinLists(element: string): void;
  framesStamped(): number;
}

export interface HubStats {
  readonly accessUnits: number;
  readonly keyFrames: number;
  readonly bytes: number;
  readonly keyFrameRequests: number;
  /** Sum over all access units of the time from capture to the coded picture. */
  readonly captureToEncodedMs: number;
  /** Of the coded picture; 0 until the first one. */
  readonly width: number;
  readonly height: number;
  /** Time since the newest picture was captured; undefined until the first one. */
  readonly newestAgeMs?: number;
}

export interface NativeHub {
  requestKeyFrame(): void;
  setStaticSections(sections: Buffer): void;
  /** The listener is called whenever `watched()` may have changed. Once at most. */
  onWatched(listener: () => void): void;
  /** Whether anybody looks at the stream. */
  watched(): boolean;
  /** Somebody does, until the result is called. */
  watch(): () => void;
  /** Whether nobody can ask for a key frame: the access units are passed on, not encoded here. */
  keepsGop(): boolean;
  stats(): HubStats;
  close(): void;
}

/** What a capredact masks; `reads`: text is looked for in what has changed. */
export interface NativeRedactionOptions {
  readonly regions: readonly NativeRect[];
  /** Those of an X display in whose title, class or application's name a pattern stands; `x`, `y`: of the picture. */
  readonly windows: {
    readonly display: string;
    readonly x: number;
    readonly y: number;
    readonly patterns: readonly string[];
  };
  readonly reads: boolean;
  /** Nothing is shown before it was read. */
  readonly strict: boolean;
  /** Otherwise, how long it is shown before it was. */
  readonly shownUnreadMs: number;
}

/** Where it lies in the source, and its luma without row padding. */
export interface NativeUnreadPicture extends NativeRect {
  readonly luma: Buffer;
}

export interface NativeRedactor {
  take(): NativeUnreadPicture | null;
  settle(matched: readonly NativeRect[]): void;
  fail(): void;
  stats(): { readonly maskedPixels: number; readonly unreadPixels: number };
  close(): void;
}

export interface NativeRelay {
  /** Buffers handed over so far. */
  forwarded(): number;
  close(): void;
}

export interface DoorStats {
  readonly delivered: number;
  readonly dropped: number;
}

export interface NativeUnitSender {
  stats(): DoorStats & { readonly connected: boolean };
  close(): void;
}

export interface NativeUnitReceiver {
  connected(): boolean;
  close(): void;
}

export interface NativeDoor {
  /** `waiting`: of those delivered, how many the pipeline has not taken yet. */
  stats(): DoorStats & { readonly waiting: number };
  close(): void;
}

/** When a recording's segments begin and end. */
export interface SegmentRules {
  /** Bounds of a segment; 0: none. */
  readonly segmentMs: number;
  readonly segmentBytes: number;
  /** Only while the pictures change: from `preRollMs` before until `lingerMs` after. */
  readonly onChange: boolean;
  readonly preRollMs: number;
  readonly lingerMs: number;
  /** A still screen is asked for a picture this often. */
  readonly stillMs: number;
}

export interface NativeRecordingDoor {
  /** An appsrc for each hub. False when the segment was given up. */
  attach(segment: number, pipeline: NativePipeline, appsrcs: readonly string[]): boolean;
  /** Gives a segment up; none begins until `resume`. */
  abandon(segment: number): void;
  resume(): void;
  stats(): DoorStats & { readonly segments: number };
  /** Leaves the hubs; segments that have begun still take their pipelines. */
  end(): void;
  close(): void;
}

export interface NativeByteSink {
  /** The next bytes; null when there are none, and then they will be announced. */
  pull(): Buffer | null;
  close(): void;
}

/** Pixels as the addon hands them over: packed RGB. */
export interface NativePixels {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

/** A picture of a FrameSink. */
export interface NativePicture extends NativePixels {
  readonly sequence: number;
  readonly receivedMonotonicNs: bigint;
  readonly receivedWallUs: bigint;
  readonly seiPayload?: Buffer;
}

/** What the stream said of a frame that was decoded, whether it was pulled or not. */
export interface PassedFrame {
  readonly sequence: number;
  readonly seiPayload: Buffer;
}

export interface NativeFrameSink {
  pull(): Promise<NativePicture | null>;
  /** Since the last call, oldest first; of more than 512 the newest. */
  takePassed(): PassedFrame[];
  stats(): { readonly decoded: number; readonly pulled: number; readonly newestSequence: number };
  close(): void;
}

/** A coded picture that a StillDoor keeps. */
export interface KeptUnit {
  /** Counts the units of the door, from 1. */
  readonly number: number;
  /** When it was captured or, where it came coded from elsewhere, arrived. */
  readonly capturedMonotonicNs: bigint;
  /** How many units must be decoded for its picture; 0 when the decoder has it. */
  readonly unitsToDecode: number;
  readonly seiPayload?: Buffer;
}

export interface StillDoorStats {
  /** What is kept. */
  readonly units: number;
  readonly bytes: number;
  /** Of the oldest unit. */
  readonly oldestMonotonicNs?: bigint;
  /** Units decoded so far. */
  readonly decoded: number;
}

export interface NativeStillDoor {
  /** The newest unit, or the newest that was captured by then. */
  find(capturedByNs?: bigint): KeptUnit | null;
  /** Null when the unit is not kept any more or cannot be decoded. */
  decode(number: number): Promise<NativePixels | null>;
  /** Has the next unit posted as an event. */
  notify(): void;
  /** Lets go of the decoder until it is needed again. */
  rest(): void;
  stats(): StillDoorStats;
  close(): void;
}

export interface ReaderStats {
  /** Counted from 1. */
  readonly id: number;
  readonly peer: string;
  /** Who has logged in. */
  readonly user?: string;
  readonly protocol: 'tcp' | 'udp' | 'tls';
  readonly path: string;
  readonly connectedMs: number;
  /** What it has been sent, or over TCP has acknowledged; a quarter of a second old at most. */
  readonly sentBytes: number;
  /** Whether the reader is off the stream until it has caught up. */
  readonly behind: boolean;
  /** How often it was taken off the stream for being behind. */
  readonly cutOffs: number;
  /** What waits in its TCP socket. */
  readonly backlogBytes?: number;
  /** Its newest RTCP report, over UDP; half a second old at most. */
  readonly report?: {
    /** Since it began. */
    readonly packetsLost: number;
    /** Extended sequence number of the newest packet. */
    readonly highestSequence: number;
    readonly jitterMs: number;
    readonly roundTripMs?: number;
  };
}

export interface RtspStats {
  readonly readers: readonly ReaderStats[];
  readonly readersTotal: number;
  /** Readers closed because they stalled for too long. */
  readonly readersDropped: number;
  readonly cutOffs: number;
  /** Times that there was no room for another reader. */
  readonly readersRefused: number;
  readonly failedLogins: number;
  readonly accessUnitsDelivered: number;
  readonly accessUnitsDropped: number;
}

export interface NativeRtspOptions {
  readonly host: string;
  /** 0: a free one, -1: none. */
  readonly port: number;
  readonly tlsPort: number;
  /** Certificate chain and key. */
  readonly tlsPem: string;
  readonly realm: string;
  readonly users: readonly { readonly name: string; readonly ha1: string; readonly paths: readonly string[] }[];
  /** 0: as many as come. */
  readonly maxReaders: number;
  readonly maxStallMs: number;
  readonly sessionTimeoutS: number;
}

/** A channel of sound that is served beside the video. */
export interface NativeRtspAudio {
  readonly hub: NativeHub;
  /** GStreamer launch syntax of its payloader. */
  readonly payloader: string;
  readonly title: string;
}

export interface NativeRtspServer {
  /** `maxReaders` 0: as many as come. */
  mount(
    path: string,
    hub: NativeHub,
    maxWaitingAccessUnits: number,
    maxReaders: number,
    audio: readonly NativeRtspAudio[],
  ): Promise<void>;
  unmount(path: string): Promise<void>;
  kick(id: number): boolean;
  /** -1 where it does not listen. */
  ports(): { readonly plain: number; readonly tls: number };
  stats(): RtspStats;
  close(): Promise<void>;
}

export interface NativeRect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface NativeComposePlan {
  readonly source: NativeRect;
  readonly canvas: NativeRect;
  /** Luma that fills what no view covers; -1 when the views cover the canvas. */
  readonly backgroundLuma: number;
  readonly views: readonly { readonly source: NativeRect; readonly target: NativeRect; readonly bicubic: boolean }[];
}

export interface X11Monitor extends NativeRect {
  readonly name: string;
  readonly primary: boolean;
}

export interface X11Window extends NativeRect {
  readonly id: number;
  readonly title: string;
  readonly className: string;
}

export interface X11CaptureDescription {
  /** Whether frames say what changed; else each is captured whole. */
  readonly tellsDamage: boolean;
  /** What the X server lacks and what follows from it, for people; empty when it has all. */
  readonly lacks: string;
}

export interface X11DisplayDescription extends NativeRect {
  readonly monitors: readonly X11Monitor[];
  readonly windows: readonly X11Window[];
}

/** Its place is in the compositor's units, its size in pixels, as it is seen. */
export interface WaylandMonitor extends NativeRect {
  readonly name: string;
  readonly description: string;
}

export interface WaylandWindow {
  readonly id: string;
  readonly title: string;
  readonly className: string;
}

export interface WaylandDescription {
  readonly monitors: readonly WaylandMonitor[];
  /** None where the compositor does not list them. */
  readonly windows: readonly WaylandWindow[];
  readonly capturesMonitors: boolean;
  readonly capturesWindows: boolean;
}

export interface NativePortalSession {
  start(choice: {
    readonly sourceTypes: number;
    readonly cursorMode: number;
    readonly persistent: boolean;
    readonly restoreToken: string;
  }): void;
  /** Resolves when the portal has been told. */
  close(): Promise<void>;
}

export interface NativePipewireScreen {
  open(): Promise<{ readonly width: number; readonly height: number }>;
  attach(pipeline: NativePipeline, element: string): void;
  close(): void;
}

export interface SoundDevice {
  readonly index: number;
  readonly name: string;
  readonly description: string;
  /** Of an input: it gives what an output plays. */
  readonly monitor: boolean;
}

/** What one application plays. Texts are empty where the application does not say. */
export interface SoundStream {
  readonly index: number;
  /** Index of the output that it is played on. */
  readonly output: number;
  readonly title: string;
  readonly application: string;
  readonly applicationId: string;
  readonly binary: string;
  readonly processId: string;
}

export interface SoundModule {
  readonly index: number;
  readonly name: string;
  readonly argument: string;
}

export interface SoundServerDescription {
  /** `pulseaudio 16.1` */
  readonly name: string;
  readonly defaultOutput: string;
  readonly defaultInput: string;
  readonly outputs: readonly SoundDevice[];
  readonly inputs: readonly SoundDevice[];
  readonly streams: readonly SoundStream[];
  readonly modules: readonly SoundModule[];
}

/** The addon's exact surface. */
export interface NativeAddon {
  readonly Pipeline: new (
    description: string,
    properties: ElementProperties,
    listener: NativeListener,
  ) => NativePipeline;
  readonly AccessUnitHub: {
    new (
      pipeline: NativePipeline,
      appsink: string,
      minKeyFrameIntervalMs: number,
      keepGop: boolean,
      codingDelayNs: number,
    ): NativeHub;
    new (receiver: NativeUnitReceiver): NativeHub;
  };
  readonly UnitSender: new (hub: NativeHub, socketName: string) => NativeUnitSender;
  /** The listener gets each access unit, its capture time by the monotonic clock, and whether it is a key frame. */
  readonly UnitTap: new (
    hub: NativeHub,
    maxWaiting: number,
    listener: (bytes: Buffer, capturedUs: number, key: boolean) => void,
  ) => NativeDoor;
  /** Listens at `path`, in place of whatever is there. */
  readonly UnitReceiver: new (
    path: string,
  ) => NativeUnitReceiver;
  readonly Redactor: new (
    pipeline: NativePipeline,
    element: string,
    options: NativeRedactionOptions,
    onUnread: NativeListener,
  ) => NativeRedactor;
  /** `maxFps` replaces the frame rate in the caps of raw frames; 0 leaves coded ones as they are. */
  readonly Relay: new (
    from: NativePipeline,
    appsink: string,
    to: NativePipeline,
    appsrc: string,
    maxFps: number,
  ) => NativeRelay;
  readonly ByteSink: new (pipeline: NativePipeline, appsink: string, onReady: NativeListener) => NativeByteSink;
  readonly StillDoor: new (
    hub: NativeHub,
    spanMs: number,
    mostBytes: number,
    onUnit: NativeListener,
  ) => NativeStillDoor;
  readonly Door: new (hub: NativeHub, pipeline: NativePipeline, appsrc: string, maxAccessUnits: number) => NativeDoor;
  /** The first hub is the pictures'. Posts `segment` (number, capturedUs) when one has begun. */
  readonly RecordingDoor: new (
    hubs: readonly NativeHub[],
    rules: SegmentRules,
    listener: NativeListener,
  ) => NativeRecordingDoor;
  readonly FrameSink: new (
    pipeline: NativePipeline,
    appsink: string,
    codedElement: string,
    onReady: NativeListener,
  ) => NativeFrameSink;
  readonly RtspServer: new (options: NativeRtspOptions, listener: NativeListener) => NativeRtspServer;
  readonly X11Watch: new (display: string, windowId: number, listener: NativeListener) => { close(): void };
  readonly X11Pick: new (display: string, listener: NativeListener) => { close(): void };
  readonly WaylandWatch: new (display: string, listener: NativeListener) => { close(): void };
  /** Posts `ready` (version, sourceTypes, cursorModes), after start `started` (node, sourceType, restoreToken) and
   *  later `ended` (message), or `failed` (failure, message). */
  readonly PortalSession: new (
    address: string,
    listener: NativeListener,
  ) => NativePortalSession;
  readonly PipewireScreen: new (
    portal: NativePortalSession | null,
    node: number,
    region: NativeRect,
    maxFps: number,
  ) => NativePipewireScreen;
  pipewireVersion(): Promise<string>;
  /** Drops RTP packets before the depayloader until an H.264 access unit begins. */
  dropUntilAccessUnit(pipeline: NativePipeline, depayloader: string): void;
  setComposePlan(pipeline: NativePipeline, element: string, plan: NativeComposePlan): void;
  describeDisplay(name: string): X11DisplayDescription;
  /** Any window that is shown, also one without a title. */
  describeWindow(name: string, id: number): X11Window | null;
  /** Of the screen, or of a window when the id is not 0. */
  describeCapture(name: string, windowId: number): X11CaptureDescription;
  /** Posts an event `device` (class, name, path) each and then `done`. */
  listDevices(listener: NativeListener): void;
  /** For an rtspsrc: the certificate of that SHA-256 in hexadecimal, or what authorities in a PEM file have signed. */
  trustTls(pipeline: NativePipeline, element: string, kind: 'fingerprint' | 'ca' | 'system', value: string): void;
  describeWayland(display: string): WaylandDescription;
  /** Of the monitor of that name, or else the window of that id. */
  sizeOfWayland(display: string, monitor: string, window: string): { readonly width: number; readonly height: number };
  describeSoundServer(): Promise<SoundServerDescription>;
  /** Resolves with the module's index. */
  loadSoundModule(name: string, argument: string): Promise<number>;
  unloadSoundModule(index: number): Promise<void>;
  moveSoundStream(index: number, output: string): Promise<void>;
  gstreamerVersion(): string;
  hasElement(name: string): boolean;
  /** A whole SEI NAL unit, byte-stream format, around `payload`. */
  writeSei(payload: Buffer): Buffer;
  /** The payload of our SEI message in a byte-stream access unit. */
  findSei(accessUnit: Buffer): Buffer | null;
}

let loaded: NativeAddon | undefined;

/** Loads the addon on first use. Throws CAP_DEPENDENCY_MISSING when it is not built or cannot load. */
export function addon(): NativeAddon {
  loaded ??= load();
  return loaded;
}

function load(): NativeAddon {
  const path = fileURLToPath(new URL('../../build/Release/cap_native.node', import.meta.url));
  if (!existsSync(path)) {
    throw new CapError('CAP_DEPENDENCY_MISSING', 'the native addon is not built', {
      hint: 'run `npm run setup` in the project folder, or reinstall the package',
    });
  }
  try {
    return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new CapError('CAP_DEPENDENCY_MISSING', `the native addon does not load: ${message}`, {
      hint: 'a GStreamer library is missing or Node was changed since it was built: run `npm run setup`',
      cause: error,
    });
  }
}

/** Calls into the addon with its failures turned into CapErrors. */
export function native<T>(call: (addon: NativeAddon) => T): T {
  try {
    return call(addon());
  } catch (error) {
    throw fromNative(error);
  }
}

/** Awaits a promise of the addon with its failures turned into CapErrors. */
export async function nativePromise<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw fromNative(error);
  }
}
