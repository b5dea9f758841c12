import type { CapError, Closable, Logger, Size } from '../core/index.js';
import type { ElementProperties, Pipeline } from '../native/index.js';

/** What a capture pipeline is told by the thing it captures, beyond the frames. */
export interface SourceListener {
  /** The source ended for good: the window was closed, the X server is gone. */
  lost(error: CapError): void;
  /** Something a user should know, while capture goes on. */
  warned(message: string): void;
}

/** What the capture will do with the frames; a source may make less work of it. */
export interface SourceDemand {
  /** Most frames a second. */
  readonly fps: number;
  /** Nothing is to be scaled or encoded: a source that has H.264 may hand it on as it is. */
  readonly asItIs: boolean;
  /** Where a source that has to ask the user says so. */
  readonly logger?: Logger | undefined;
  /** Ends the opening of a source that waits for the user. */
  readonly signal?: AbortSignal | undefined;
}

/** What a capture holds of its source from `watch` on. */
export interface SourceWatch extends Closable {
  /** The capture rests: give back what costs while nobody looks. Sources without it cost nothing then. */
  rest?(): Promise<void>;
  resume?(): void;
}

/** A source, found and described, not yet running. */
export interface VideoSource {
  /** For people: `screen :0`, `window "Terminal" (0x1e00003)`, `test 1280x720`. */
  readonly label: string;
  /** GStreamer launch syntax without any user's text; raw video leaves its last element. */
  readonly launch: string;
  /** Properties of the elements named in `launch`. */
  readonly properties: ElementProperties;
  /** Size when it was opened; it may change while it is captured. */
  readonly size: Size;
  /** H.264 access units leave `launch` instead of raw video, to be passed on as they are. @default false */
  readonly coded?: boolean;
  /** Whether its frames say what changed since the one before. @default false */
  readonly tellsDamage?: boolean;
  /** Where it lies on which X display, when it shows a part of one whose windows can be told apart. @default nowhere */
  readonly onScreen?: { readonly display: string; readonly x: number; readonly y: number };
  /** Whether the element `source` of `launch` has the property `max-fps`, which may change at any time. @default false */
  readonly pacesFrames?: boolean;
  /** Watches the source, and feeds `pipeline` where frames come from elsewhere, until the result is closed. */
  watch(listener: SourceListener, pipeline: Pipeline): SourceWatch;
  /** Lets go of a source that is not watched; not needed by sources that hold nothing before. */
  readonly close?: () => Promise<void>;
}

/** The watch of a source of which nothing can be told. */
export const nothingToWatch = (): SourceWatch => ({ close: async () => {} });
