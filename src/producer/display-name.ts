import { CapError } from '../core/index.js';

/** The X display that is meant. @throws CAP_DISPLAY_UNAVAILABLE when there is none */
export function x11DisplayName(display = process.env.DISPLAY ?? ''): string {
  if (display !== '') return display;
  throw new CapError('CAP_DISPLAY_UNAVAILABLE', 'there is no display: DISPLAY is not set', {
    hint: 'run in a desktop session, name one with --display, or use --source test',
  });
}

/** The Wayland socket that is meant, by name or path. @throws CAP_DISPLAY_UNAVAILABLE when there is none */
export function waylandDisplayName(display = process.env.WAYLAND_DISPLAY ?? ''): string {
  if (display !== '') return display;
  throw new CapError('CAP_DISPLAY_UNAVAILABLE', 'there is no Wayland display: WAYLAND_DISPLAY is not set', {
    hint: 'run in a Wayland session, name its socket with --display, or choose --display-server x11',
  });
}
