import { type Closable, TypedEvents } from '../core/index.js';
import { type NativeEvent, native } from './addon.js';

/** All but the first two end it; it must still be closed. */
export type X11PickEvents = {
  /** The pointer is held: clicks are taken from now on. */
  ready: [];
  /** A click beside any window. */
  missed: [];
  picked: [windowId: number];
  /** Escape, or the right button. */
  cancelled: [];
  /** Another program holds the pointer, and went on doing so. */
  busy: [];
  /** The X server is gone. */
  displayLost: [];
};

/** Holds the pointer of an X display until a window is clicked. */
export class X11Pick extends TypedEvents<X11PickEvents> implements Closable {
  readonly #native: { close(): void };

  /** @throws CAP_DISPLAY_UNAVAILABLE */
  constructor(display: string) {
    super();
    this.#native = native((addon) => new addon.X11Pick(display, (event) => this.#dispatch(event)));
  }

  async close(): Promise<void> {
    this.#native.close();
  }

  #dispatch({ type, id }: NativeEvent): void {
    switch (type) {
      case 'picked':
        this.emit('picked', Number(id));
        break;
      case 'lost':
        this.emit('displayLost');
        break;
      case 'ready':
      case 'missed':
      case 'cancelled':
      case 'busy':
        this.emit(type);
        break;
    }
  }
}
