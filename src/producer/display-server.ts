/** Who draws the screen. */
export const DISPLAY_SERVERS = ['x11', 'wayland'] as const;

/** One of those. */
export type DisplayServer = (typeof DISPLAY_SERVERS)[number];

/** Who gives its pictures: that one, or the desktop's portal, after it has asked the user. */
export const SCREEN_SERVERS = [...DISPLAY_SERVERS, 'portal'] as const;

/** One of those. */
export type ScreenServer = (typeof SCREEN_SERVERS)[number];

/** Which display is meant. */
export interface DisplayChoice {
  /**
   * What it belongs to. @default wayland for a display that is a Wayland socket, and where only WAYLAND_DISPLAY is set
   * or the session's type is wayland; else x11
   */
  readonly displayServer?: DisplayServer | undefined;
  /** X display, such as `:0`, or the name or path of a Wayland socket. @default $DISPLAY, $WAYLAND_DISPLAY */
  readonly display?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The one asked for; else the one that `display` names; else the session's. */
export function chooseDisplayServer(options: DisplayChoice, environment: Environment): DisplayServer {
  if (options.displayServer !== undefined) return options.displayServer;
  // X displays are `host:number`; Wayland's are sockets, by their path or by the name that compositors give them.
  if (options.display !== undefined) return /^(\/|wayland-)/.test(options.display) ? 'wayland' : 'x11';
  const { WAYLAND_DISPLAY, DISPLAY, XDG_SESSION_TYPE } = environment;
  // A Wayland session has an X display too, with X programs' windows alone on it.
  return WAYLAND_DISPLAY && (!DISPLAY || XDG_SESSION_TYPE === 'wayland') ? 'wayland' : 'x11';
}
