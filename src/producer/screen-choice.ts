import { CapError, formatSize } from '../core/index.js';
import { describeWayland } from '../native/index.js';
import { waylandDisplayName, x11DisplayName } from './display-name.js';
import { chooseDisplayServer, type DisplayChoice, type ScreenServer } from './display-server.js';
import { portalSource } from './portal-source.js';
import { listMonitors } from './screen-list.js';
import { type ScreenOptions, screenSource } from './screen-source.js';
import type { SourceDemand, VideoSource } from './video-source.js';

/** The screen, by the way that suits this session. @throws as screenSource and portalSource do */
export async function openScreen(options: ScreenOptions, demand: SourceDemand): Promise<VideoSource> {
  const displayServer = screenServer(options);
  if (displayServer === 'portal') return portalSource(options, demand);
  const { share, ...direct } = options;
  if (share !== undefined) {
    throw new CapError('CAP_USAGE', `share is for the portal, not for ${displayServer}`, {
      hint: 'leave it out, or choose --display-server portal',
    });
  }
  return screenSource({ ...direct, displayServer });
}

/**
 * Who gives the pictures of that screen. Where the session's own Wayland compositor lets nobody capture it, that is
 * the portal, which asks the user; a compositor that was named is not passed over.
 * @throws CAP_DISPLAY_UNAVAILABLE
 */
export function screenServer(options: ScreenOptions): ScreenServer {
  const { displayServer, display, share, monitor, window } = options;
  if (displayServer === 'portal' || (share !== undefined && displayServer === undefined)) return 'portal';
  const server = chooseDisplayServer({ displayServer, display }, process.env);
  const own = process.env.WAYLAND_DISPLAY;
  if (server !== 'wayland' || display !== undefined || monitor !== undefined || window !== undefined || !own) {
    return server;
  }
  return describeWayland(own).capturesMonitors ? 'wayland' : 'portal';
}

/** The screen that would be captured, for people. @throws CAP_DISPLAY_UNAVAILABLE */
export function describeScreen(choice: DisplayChoice): string {
  const server = screenServer(choice);
  if (server === 'portal') return 'Wayland; the desktop asks what to share';
  const monitors = listMonitors(choice);
  const { display } = choice;
  const name = server === 'wayland' ? `Wayland ${waylandDisplayName(display)}` : `X11 ${x11DisplayName(display)}`;
  return `${name}, ${monitors.length === 1 ? 'monitor' : 'monitors'} ${monitors.map(formatSize).join(', ')}`;
}
