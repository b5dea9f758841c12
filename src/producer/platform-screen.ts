import { CapError, type Rect } from '../core/index.js';
import type { ElementProperties } from '../native/index.js';
import { openFeed } from './feed.js';
import type { ScreenOptions } from './screen-source.js';
import type { SourceDemand, VideoSource } from './video-source.js';

interface ScreenElements {
  readonly launch: string;
  readonly properties: ElementProperties;
}

interface PlatformScreen {
  /** Options of ScreenOptions that the element has no property for. */
  readonly lacks: readonly (keyof ScreenOptions)[];
  elements(options: ScreenOptions): ScreenElements;
}

/**
 * How screens are captured where there is no X server, by Node's name of the platform. The properties are those of
 * the elements' documentation; neither has been run yet.
 */
export const PLATFORM_SCREENS: Readonly<Partial<Record<NodeJS.Platform, PlatformScreen>>> = {
  darwin: {
    lacks: ['displayServer', 'display', 'window', 'share', 'keepAliveMs'],
    elements: ({ monitor, region, cursor = true }) => ({
      launch: 'avfvideosrc name=source capture-screen=true',
      properties: {
        source: {
          'capture-screen-cursor': String(cursor),
          ...(monitor === undefined ? {} : { 'device-index': monitorIndex(monitor) }),
          ...(region ? crop(region, 'screen-crop-') : {}),
        },
      },
    }),
  },
  win32: {
    lacks: ['displayServer', 'display', 'window', 'share', 'keepAliveMs'],
    elements: ({ monitor, region, cursor = true }) => ({
      launch: 'd3d11screencapturesrc name=source ! d3d11download',
      properties: {
        source: {
          'show-cursor': String(cursor),
          ...(monitor === undefined ? {} : { 'monitor-index': monitorIndex(monitor) }),
          ...(region ? crop(region, 'crop-') : {}),
        },
      },
    }),
  },
};

/** The screen by one of those elements. @throws CAP_USAGE, CAP_SOURCE_NOT_FOUND */
export function platformScreenSource(
  { lacks, elements }: PlatformScreen,
  options: ScreenOptions,
  { fps }: SourceDemand,
): Promise<VideoSource> {
  const idle = lacks.find((name) => options[name] !== undefined);
  if (idle) throw new CapError('CAP_USAGE', `${idle} is for X11 and Wayland: it cannot be used on this system`);
  return openFeed({
    label: 'screen',
    ...elements(options),
    coded: false,
    paced: false,
    fps,
    afterwards: 'end',
    explain: (error) =>
      new CapError('CAP_DISPLAY_UNAVAILABLE', `the screen cannot be captured: ${error.message}`, {
        hint: 'allow the terminal to record the screen in the system settings',
        cause: error,
      }),
  });
}

/** Both elements count from 0, and have no names. */
function monitorIndex(monitor: string): string {
  if (/^[1-9]\d?$/.test(monitor)) return String(Number(monitor) - 1);
  throw new CapError('CAP_USAGE', `expected a monitor's number, received "${monitor}"`, { hint: 'the first is 1' });
}

const crop = ({ x, y, width, height }: Rect, prefix: string): Record<string, string> => ({
  [`${prefix}x`]: String(x),
  [`${prefix}y`]: String(y),
  [`${prefix}width`]: String(width),
  [`${prefix}height`]: String(height),
});
