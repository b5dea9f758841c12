import { CapError, type Closable, TypedEvents } from '../core/index.js';
import { WaylandWatch, X11Watch } from '../native/index.js';
import { waylandDisplayName, x11DisplayName } from './display-name.js';
import { chooseDisplayServer, type DisplayChoice } from './display-server.js';

export type MonitorWatchEvents = {
  /** Monitors came, went or changed: list them again. */
  changed: [];
  /** The display itself is gone. */
  lost: [error: CapError];
};

/** Watches which monitors a display has. */
export class MonitorWatch extends TypedEvents<MonitorWatchEvents> implements Closable {
  readonly #native: X11Watch | WaylandWatch;

  /** @throws CAP_DISPLAY_UNAVAILABLE */
  constructor(choice: DisplayChoice) {
    super();
    const isWayland = chooseDisplayServer(choice, process.env) === 'wayland';
    const display = isWayland ? waylandDisplayName(choice.display) : x11DisplayName(choice.display);
    const what = isWayland ? 'the Wayland compositor' : `the X server ${display}`;
    const changed = (): void => this.emit('changed');
    const lost = (): void => this.emit('lost', new CapError('CAP_SOURCE_LOST', `${what} is gone`));
    this.#native = isWayland
      ? new WaylandWatch(display).on('layoutChanged', changed).on('displayLost', lost)
      : new X11Watch(display).on('layoutChanged', changed).on('displayLost', lost);
  }

  close(): Promise<void> {
    return this.#native.close();
  }
}
