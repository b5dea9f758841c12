import { CapError, type CapErrorOptions, type ErrorCode } from '../core/index.js';

/** The struct that a native failure crosses as (native/failure.h). */
interface NativeFailure extends Error {
  readonly failure: string;
  readonly element?: string;
  readonly debug?: string;
}

const CODES: Readonly<Record<string, readonly [ErrorCode, string?]>> = {
  closed: ['CAP_CLOSED'],
  dbus: ['CAP_DISPLAY_UNAVAILABLE', 'run in a desktop session, or name another source with --source'],
  display: ['CAP_DISPLAY_UNAVAILABLE', 'set DISPLAY to a running X server, or use --source test to go without one'],
  gstreamer: [
    'CAP_DEPENDENCY_MISSING',
    'GStreamer is installed but does not start: check GST_PLUGIN_PATH and permissions',
  ],
  'missing-element': ['CAP_DEPENDENCY_MISSING', 'a GStreamer plugin is missing: run `npm run setup`'],
  pipeline: ['CAP_PIPELINE_FAILED'],
  pipewire: ['CAP_DISPLAY_UNAVAILABLE', 'check that PipeWire and WirePlumber run in this session: cap doctor'],
  port: ['CAP_PORT_UNAVAILABLE', 'ports under 1024 need privileges, and the address must be one of this machine'],
  'port-in-use': [
    'CAP_PORT_UNAVAILABLE',
    'another program listens there: choose another with --rtsp-port, or 0 for a free one',
  ],
  'sound-change': ['CAP_PIPELINE_FAILED'],
  'sound-module': ['CAP_DEPENDENCY_MISSING', "install the sound server's modules"],
  'sound-server': [
    'CAP_DEPENDENCY_MISSING',
    'start PulseAudio, or PipeWire with pipewire-pulse, or set PULSE_SERVER to the address of one that runs',
  ],
  tls: ['CAP_USAGE', 'TLS needs a certificate and its key in PEM format, and the package glib-networking'],
  portal: [
    'CAP_DISPLAY_UNAVAILABLE',
    "install and start xdg-desktop-portal with your desktop's backend, such as xdg-desktop-portal-gnome, -kde or -wlr",
  ],
  'portal-refused': ['CAP_SHARING_REFUSED', 'start again and allow it in the dialog'],
  wayland: [
    'CAP_DISPLAY_UNAVAILABLE',
    'set WAYLAND_DISPLAY or --display to the socket of a running compositor, or choose --display-server x11',
  ],
  'wayland-source': ['CAP_SOURCE_NOT_FOUND'],
  'x11-source': ['CAP_SOURCE_NOT_FOUND'],
  window: ['CAP_SOURCE_NOT_FOUND', 'the window may just have been closed'],
};

/** Turns what the addon threw into a CapError; other errors pass as they are. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || !('failure' in error)) return error;
  const { failure, element, message, debug } = error as NativeFailure;
  return toError(failure, (element ? `${element}: ` : '') + message, debug ? new Error(debug) : error);
}

/** The error for a failure of that kind. */
export function toError(failure: string, message: string, cause?: Error): CapError {
  const [code, hint] = CODES[failure] ?? ['CAP_INTERNAL'];
  const options: CapErrorOptions = { ...(cause ? { cause } : {}), ...(hint ? { hint } : {}) };
  return new CapError(code, message, options);
}
