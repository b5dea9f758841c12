import { CapError, fitsInside, formatRegion, formatSize, type Rect } from '../core/index.js';
import { describeWayland, sizeOfWayland, type WaylandDescription, type WaylandMonitor } from '../native/index.js';
import { waylandDisplayName } from './display-name.js';
import { findNamedWindow } from './find-window.js';
import { keepAlive } from './keep-alive.js';
import { requireMonitorCapture } from './screen-list.js';
import type { VideoSource } from './video-source.js';

/** What of a Wayland compositor is captured: its first monitor, or one of monitor, region and window. */
export interface WaylandOptions {
  readonly display?: string | undefined;
  readonly monitor?: string | undefined;
  /** Of the first monitor. */
  readonly region?: Rect | undefined;
  readonly window?: string | undefined;
  readonly cursor?: boolean | undefined;
  readonly keepAliveMs?: number | undefined;
}

/**
 * A monitor, a region of one or a window, copied by the compositor into shared memory when something in it
 * changes: by ext-image-copy-capture-v1, or wlr-screencopy where that is all there is.
 * @throws CAP_DISPLAY_UNAVAILABLE, CAP_SOURCE_NOT_FOUND, CAP_USAGE
 */
export function waylandSource(options: WaylandOptions): VideoSource {
  const display = waylandDisplayName(options.display);
  const screen = describeWayland(display);
  return options.window === undefined
    ? monitorSource(display, screen, options)
    : windowSource(display, screen, options.window, options);
}

function monitorSource(display: string, screen: WaylandDescription, options: WaylandOptions): VideoSource {
  requireMonitorCapture(screen);
  const monitor = findMonitor(screen.monitors, options.monitor);
  const size = sizeOfWayland(display, { monitor: monitor.name });
  const { region } = options;
  if (region && !fitsInside(region, size)) {
    throw new CapError('CAP_SOURCE_NOT_FOUND', `region ${formatRegion(region)} is not inside the screen`, {
      hint: `monitor ${monitor.name} is ${formatSize(size)}`,
    });
  }
  const others = screen.monitors.length - 1;
  return {
    label: `monitor ${monitor.name} ${region ? formatRegion(region) : formatSize(size)}`,
    ...elements(display, options, { output: monitor.name, ...region }),
    size: region ? { width: region.width, height: region.height } : size,
    watch: (listener) => {
      if (others > 0 && options.monitor === undefined) {
        listener.warned(`of ${others + 1} monitors ${monitor.name} is captured: choose with --monitor`);
      }
      return NOTHING_TO_WATCH;
    },
  };
}

function windowSource(
  display: string,
  screen: WaylandDescription,
  wanted: string,
  options: WaylandOptions,
): VideoSource {
  if (!screen.capturesWindows) {
    throw new CapError('CAP_SOURCE_NOT_FOUND', 'the compositor does not let single windows be captured', {
      hint: 'that takes ext-foreign-toplevel-list-v1 and ext-image-copy-capture-v1; capture a monitor or a region, or choose in the dialog of --share window',
    });
  }
  const window =
    screen.windows.find(({ id }) => id === wanted) ??
    findNamedWindow(screen.windows, wanted, ({ id, title }) => `${id} "${title}"`);
  const size = sizeOfWayland(display, { window: window.id });
  return {
    label: `window "${window.title}" (${window.id}) ${formatSize(size)}`,
    ...elements(display, options, { toplevel: window.id }),
    size,
    watch: () => NOTHING_TO_WATCH,
  };
}

/** The element itself says when its source is lost. */
const NOTHING_TO_WATCH = { close: async () => undefined };

function elements(
  display: string,
  options: WaylandOptions,
  place: Readonly<Record<string, string | number>>,
): Pick<VideoSource, 'launch' | 'properties' | 'tellsDamage' | 'pacesFrames'> {
  const { cursor = true } = options;
  const values = { 'display-name': display, 'show-pointer': cursor, 'keep-alive': keepAlive(options), ...place };
  const source = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  return { launch: 'capwaylandsrc name=source', properties: { source }, tellsDamage: true, pacesFrames: true };
}

function findMonitor(monitors: readonly WaylandMonitor[], wanted: string | undefined): WaylandMonitor {
  const found =
    wanted === undefined
      ? monitors[0]
      : monitors.find((item, index) => item.name === wanted || String(index + 1) === wanted);
  if (found) return found;
  const known = monitors.map((item, index) => `${index + 1} (${item.name}, ${formatSize(item)})`);
  throw new CapError(
    'CAP_SOURCE_NOT_FOUND',
    wanted === undefined ? 'the compositor has no monitor' : `there is no monitor "${wanted}"`,
    { hint: `monitors: ${known.join(', ') || 'none'}` },
  );
}
