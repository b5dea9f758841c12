import { CapError, type Closable, fitsInside, formatRegion, formatSize, type Rect } from '../core/index.js';
import {
  describeCapture,
  describeDisplay,
  describeWindow,
  type SharedKind,
  type X11DisplayDescription,
  X11Watch,
  type X11Window,
} from '../native/index.js';
import { x11DisplayName } from './display-name.js';
import { chooseDisplayServer, type DisplayChoice, type ScreenServer } from './display-server.js';
import { keepAlive } from './keep-alive.js';
import type { SourceListener, VideoSource } from './video-source.js';
import { waylandSource } from './wayland-source.js';
import { findWindow } from './x11-window.js';

/** What of a display is captured: all of it, or one of monitor, region and window. */
export interface ScreenOptions extends Omit<DisplayChoice, 'displayServer'> {
  /**
   * What the screen belongs to, or `portal`: the desktop asks the user what to share. @default as of DisplayChoice;
   * where the session's Wayland compositor lets nobody capture its screen, portal
   */
  readonly displayServer?: ScreenServer | undefined;
  /** A monitor's number, counted from 1, or its name; excludes region and window. */
  readonly monitor?: string | undefined;
  /** A rectangle of the screen, in pixels; on Wayland, of its first monitor; by the portal, of what is shared. */
  readonly region?: Rect | undefined;
  /** A window's id (on X11 `0x1e00003` or decimal), its title or class, whole or in part. */
  readonly window?: string | undefined;
  /** What the desktop offers to share, in its dialog; implies the portal. @default monitors and windows */
  readonly share?: SharedKind | undefined;
  /** Whether the mouse cursor is in the picture. @default true */
  readonly cursor?: boolean | undefined;
  /** Longest time between two frames of a screen that does not change, 10 to 3600000. @default 1000 */
  readonly keepAliveMs?: number | undefined;
}

/** Without what only the portal knows. */
export interface DirectScreenOptions extends Omit<ScreenOptions, 'share' | 'displayServer'>, DisplayChoice {}

/**
 * The screen, a monitor, a region of it or a window, without asking anybody. What changes is captured when it changes,
 * and a window whole even where others cover it; where an X server lacks an extension for that, a warning says what
 * follows.
 * @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND, CAP_USAGE
 */
export function screenSource(options: DirectScreenOptions = {}): VideoSource {
  const chosen = [options.monitor, options.region, options.window].filter((choice) => choice !== undefined);
  if (chosen.length > 1) throw new CapError('CAP_USAGE', 'choose one of monitor, region and window');
  if (chooseDisplayServer(options, process.env) === 'wayland') return waylandSource(options);
  return x11Source(options);
}

/** What an X server lacks for capture at little cost, and what follows from it; empty when it has all. */
export function whatXServerLacks(display: string): string {
  return describeCapture(display).lacks;
}

function x11Source(options: ScreenOptions): VideoSource {
  const display = x11DisplayName(options.display);
  const screen = describeDisplay(display);
  if (options.window !== undefined) {
    const window = findWindow(screen.windows, options.window, (id) => describeWindow(display, id));
    return windowSource(display, window, options);
  }
  const area = options.region ?? monitorArea(screen, options.monitor);
  if (area && !fitsInside(area, screen)) {
    throw new CapError('CAP_SOURCE_NOT_FOUND', `region ${formatRegion(area)} is not inside the screen`, {
      hint: `the screen is ${formatSize(screen)}`,
    });
  }
  return areaSource(display, screen, area, options);
}

function monitorArea(screen: X11DisplayDescription, monitor: string | undefined): Rect | undefined {
  if (monitor === undefined) return undefined;
  const found = screen.monitors.find((item, index) => item.name === monitor || String(index + 1) === monitor);
  if (found) return { x: found.x, y: found.y, width: found.width, height: found.height };
  const known = screen.monitors.map((item, index) => `${index + 1} (${item.name}, ${formatSize(item)})`);
  throw new CapError('CAP_SOURCE_NOT_FOUND', `there is no monitor "${monitor}"`, {
    hint: `monitors: ${known.join(', ') || 'none'}`,
  });
}

function areaSource(
  display: string,
  screen: X11DisplayDescription,
  area: Rect | undefined,
  options: ScreenOptions,
): VideoSource {
  const capture = describeCapture(display);
  return {
    label: area ? `screen ${display} ${formatRegion(area)}` : `screen ${display} ${formatSize(screen)}`,
    ...elements(display, options, { ...area }),
    tellsDamage: capture.tellsDamage,
    ...(capture.tellsDamage && { onScreen: { display, x: area?.x ?? 0, y: area?.y ?? 0 } }),
    size: area ? { width: area.width, height: area.height } : { width: screen.width, height: screen.height },
    watch: (listener) => {
      if (capture.lacks !== '') listener.warned(`the X server is not all it could be: ${capture.lacks}`);
      return watchScreen(display, area, listener);
    },
  };
}

function windowSource(display: string, window: X11Window, options: ScreenOptions): VideoSource {
  const capture = describeCapture(display, window.id);
  return {
    label: `window "${window.title}" (0x${window.id.toString(16)}) ${formatSize(window)}`,
    ...elements(display, options, { xid: window.id }),
    tellsDamage: capture.tellsDamage,
    size: { width: window.width, height: window.height },
    watch: (listener) => {
      if (capture.lacks !== '') listener.warned(`the X server is not all it could be: ${capture.lacks}`);
      return watchWindow(display, window.id, listener);
    },
  };
}

function elements(
  display: string,
  options: ScreenOptions,
  place: Readonly<Record<string, number>>,
): Pick<VideoSource, 'launch' | 'properties' | 'pacesFrames'> {
  const { cursor = true } = options;
  const values = { 'display-name': display, 'show-pointer': cursor, 'keep-alive': keepAlive(options), ...place };
  const source = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  return { launch: 'capx11src name=source', properties: { source }, pacesFrames: true };
}

function watchScreen(display: string, area: Rect | undefined, listener: SourceListener): Closable {
  const watch = new X11Watch(display);
  watch.on('displayLost', () => listener.lost(displayLost(display)));
  watch.on('resized', (size) => {
    // The source follows a resize of the whole screen, and cannot read a region that no longer fits.
    if (!area || fitsInside(area, size)) return;
    listener.lost(
      new CapError('CAP_SOURCE_LOST', `the screen is now ${formatSize(size)} and ${formatRegion(area)} lies outside`, {
        hint: 'start again with a region or monitor of the new screen',
      }),
    );
  });
  return watch;
}

function watchWindow(display: string, id: number, listener: SourceListener): Closable {
  const watch = new X11Watch(display, id);
  watch.on('displayLost', () => listener.lost(displayLost(display)));
  watch.on('windowClosed', () =>
    listener.lost(new CapError('CAP_SOURCE_LOST', 'the window was closed', { hint: 'the stream ends with it' })),
  );
  watch.on('unmapped', () => listener.warned('the window is hidden: the stream shows its last picture'));
  return watch;
}

function displayLost(display: string): CapError {
  return new CapError('CAP_SOURCE_LOST', `the X server ${display} is gone`);
}
