import type { CapError, Closable, Size } from '../core/index.js';
import type { ElementProperties } from '../native/index.js';

/** What a capture pipeline is told by the thing it captures, beyond the frames. */
export interface SourceListener {
  /** The source ended for good: the window was closed, the X server is gone. */
  lost(error: CapError): void;
  /** Something a user should know, while capture goes on. */
  warned(message: string): void;
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
  /** Watches the source until the result is closed. */
  watch(listener: SourceListener): Closable;
}
