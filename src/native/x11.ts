import { type Closable, type Size, TypedEvents } from '../core/index.js';
import {
  type NativeEvent,
  native,
  type X11CaptureDescription,
  type X11DisplayDescription,
  type X11Window,
} from './addon.js';

/**
 * Size, monitors and titled windows of an X display.
 * @param name `:0` and the like; empty for $DISPLAY.
 * @throws CAP_DISPLAY_UNAVAILABLE
 */
export function describeDisplay(name = ''): X11DisplayDescription {
  return native((addon) => addon.describeDisplay(name));
}

/** A window that is shown, also one without a title. @throws CAP_DISPLAY_UNAVAILABLE */
export function describeWindow(name: string, id: number): X11Window | undefined {
  return native((addon) => addon.describeWindow(name, id)) ?? undefined;
}

/** How the screen, or a window of it, would be captured. @throws CAP_SOURCE_NOT_FOUND with the reason when it cannot be */
export function describeCapture(name: string, windowId = 0): X11CaptureDescription {
  return native((addon) => addon.describeCapture(name, windowId));
}

export type X11WatchEvents = {
  /** The window was destroyed. */
  windowClosed: [];
  /** The window was taken off the screen: minimised, or on another desktop. */
  unmapped: [];
  mapped: [];
  resized: [size: Size];
  /** Of the root window: monitors came, went or changed. */
  layoutChanged: [];
  /** The X server is gone. */
  displayLost: [];
};

/** Watches one window, or the root window, for what the capture element does not report. */
export class X11Watch extends TypedEvents<X11WatchEvents> implements Closable {
  readonly #native: { close(): void };

  /**
   * @param windowId 0 for the root window.
   * @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND
   */
  constructor(display: string, windowId = 0) {
    super();
    this.#native = native((addon) => new addon.X11Watch(display, windowId, (event) => this.#dispatch(event)));
  }

  async close(): Promise<void> {
    this.#native.close();
  }

  #dispatch(event: NativeEvent): void {
    switch (event.type) {
      case 'closed':
        this.emit('windowClosed');
        break;
      case 'unmapped':
        this.emit('unmapped');
        break;
      case 'mapped':
        this.emit('mapped');
        break;
      case 'display-lost':
        this.emit('displayLost');
        break;
      case 'layout':
        this.emit('layoutChanged');
        break;
      case 'resized':
        this.emit('resized', { width: Number(event.width), height: Number(event.height) });
        break;
    }
  }
}
