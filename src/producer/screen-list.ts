import { CapError, formatRegion, type Rect } from '../core/index.js';
import { describeDisplay, describeWayland, sizeOfWayland, type WaylandDescription } from '../native/index.js';
import { waylandDisplayName, x11DisplayName } from './display-name.js';
import { chooseDisplayServer, type DisplayChoice } from './display-server.js';

/** A monitor of a display; sizes are in pixels. */
export interface MonitorRow extends Rect {
  /** Counted from 1, as `--monitor` takes it. */
  readonly number: number;
  readonly name: string;
  /** Always false on Wayland, which knows no such thing. */
  readonly primary: boolean;
  /** What captures it. */
  readonly argument: string;
}

/** A window that is shown and, on X11, has a title. Wayland does not tell where it is. */
export interface WindowRow extends Partial<Rect> {
  /** `0x1e00003`; on Wayland the compositor's name of it. */
  readonly id: string;
  readonly title: string;
  readonly class: string;
  /** What captures it. */
  readonly argument: string;
}

/** @throws CAP_DISPLAY_UNAVAILABLE, also for a compositor that does not let its monitors be captured */
export function listMonitors(choice: DisplayChoice = {}): MonitorRow[] {
  return isWayland(choice) ? waylandMonitors(choice) : x11Monitors(choice);
}

/** Windows that can be captured. @throws CAP_DISPLAY_UNAVAILABLE */
export function listWindows(choice: DisplayChoice = {}): WindowRow[] {
  return isWayland(choice) ? waylandWindows(choice) : x11Windows(choice);
}

/**
 * What tells a monitor from others. A capture on Wayland follows its monitor through resizes; one on X11 is of a place
 * on the screen, so elsewhere it is another one.
 */
export function monitorKey(monitor: MonitorRow, choice: DisplayChoice): string {
  return isWayland(choice) ? monitor.name : `${monitor.name} ${formatRegion(monitor)}`;
}

const isWayland = (choice: DisplayChoice): boolean => chooseDisplayServer(choice, process.env) === 'wayland';

const row = ({ name, x, y, width, height }: Rect & { name: string }, index: number, primary: boolean): MonitorRow => {
  return { number: index + 1, name, primary, x, y, width, height, argument: `--monitor ${index + 1}` };
};

function x11Monitors({ display }: DisplayChoice): MonitorRow[] {
  const { monitors } = describeDisplay(x11DisplayName(display));
  return monitors.map((monitor, index) => row(monitor, index, monitor.primary));
}

function x11Windows({ display }: DisplayChoice): WindowRow[] {
  return describeDisplay(x11DisplayName(display)).windows.map(({ id, title, className, x, y, width, height }) => {
    const hex = `0x${id.toString(16)}`;
    return { id: hex, title, class: className, x, y, width, height, argument: `--window ${hex}` };
  });
}

function waylandMonitors({ display }: DisplayChoice): MonitorRow[] {
  const screen = describeWayland(waylandDisplayName(display));
  requireMonitorCapture(screen);
  return screen.monitors.map((monitor, index) => row(monitor, index, false));
}

function waylandWindows({ display: wanted }: DisplayChoice): WindowRow[] {
  const display = waylandDisplayName(wanted);
  const { windows, capturesWindows } = describeWayland(display);
  if (!capturesWindows) return [];
  return windows.flatMap(({ id, title, className }) => {
    try {
      const { width, height } = sizeOfWayland(display, { window: id });
      return [{ id, title, class: className, width, height, argument: `--window ${id}` }];
    } catch (error) {
      // It was closed meanwhile.
      if (error instanceof CapError && error.code === 'CAP_SOURCE_NOT_FOUND') return [];
      throw error;
    }
  });
}

/** @throws CAP_DISPLAY_UNAVAILABLE */
export function requireMonitorCapture({ capturesMonitors }: WaylandDescription): void {
  if (capturesMonitors) return;
  throw new CapError('CAP_DISPLAY_UNAVAILABLE', 'the compositor does not let its screen be captured', {
    hint:
      'supported are compositors with ext-image-copy-capture-v1 or wlr-screencopy-unstable-v1, such as sway, ' +
      'Hyprland, labwc and river; elsewhere the desktop asks: --display-server portal',
  });
}
