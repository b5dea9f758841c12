import { CapError } from '../core/index.js';
import { X11Pick } from '../native/index.js';

/** How a click is waited for. */
export interface ClickOptions {
  /** Ends the wait, and lets go of the mouse. */
  readonly signal: AbortSignal;
  /** The mouse is held: clicks are taken from now on. */
  readonly onReady: () => void;
  /** A click beside any window. */
  readonly onMissed: () => void;
}

/**
 * Has the user click a window of an X display.
 * @returns the id of the program's window, not of a window manager's frame around it; undefined when the user
 * cancelled by Escape or the right button, or `signal` came first
 * @throws CAP_DISPLAY_UNAVAILABLE, also when another program holds the mouse
 */
export async function clickWindow(display: string, options: ClickOptions): Promise<string | undefined> {
  const { signal, onReady, onMissed } = options;
  const pick = new X11Pick(display);
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
      pick.on('ready', onReady);
      pick.on('missed', onMissed);
      pick.on('picked', (id) => resolve(`0x${id.toString(16)}`));
      pick.on('cancelled', () => resolve(undefined));
      pick.on('busy', () => reject(busy()));
      pick.on('displayLost', () => reject(new CapError('CAP_DISPLAY_UNAVAILABLE', `the X server ${display} is gone`)));
    });
  } finally {
    await pick.close();
  }
}

const busy = (): CapError =>
  new CapError('CAP_DISPLAY_UNAVAILABLE', 'the mouse cannot be asked: another program holds it', {
    hint: 'close its menu or dialog, or name the window: --window <id|title|class>',
  });
