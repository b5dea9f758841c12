import { type Closable, type Size, TypedEvents } from '../core/index.js';
import { native, type WaylandDescription } from './addon.js';

/**
 * Monitors and windows of a Wayland compositor, and which of them it lets be captured.
 * @param display A socket's name or path.
 * @throws CAP_DISPLAY_UNAVAILABLE
 */
export function describeWayland(display: string): WaylandDescription {
  return native((addon) => addon.describeWayland(display));
}

/**
 * Size in pixels of a monitor, by its name, or a window, by its id, as it would be captured.
 * @throws CAP_SOURCE_NOT_FOUND with the reason when it cannot be captured
 */
export function sizeOfWayland(display: string, what: { readonly monitor: string } | { readonly window: string }): Size {
  const { monitor, window } = { monitor: '', window: '', ...what };
  return native((addon) => addon.sizeOfWayland(display, monitor, window));
}

export type WaylandWatchEvents = {
  /** Monitors came, went or changed. */
  layoutChanged: [];
  /** The compositor is gone. */
  displayLost: [];
};

/** Watches a compositor's monitors. */
export class WaylandWatch extends TypedEvents<WaylandWatchEvents> implements Closable {
  readonly #native: { close(): void };

  /** @throws CAP_DISPLAY_UNAVAILABLE */
  constructor(display: string) {
    super();
    this.#native = native(
      (addon) =>
        new addon.WaylandWatch(display, ({ type }) => this.emit(type === 'layout' ? 'layoutChanged' : 'displayLost')),
    );
  }

  async close(): Promise<void> {
    this.#native.close();
  }
}
