import { CapError, type Rect, toCapError } from '../core/index.js';
import { describeDisplay, listDevices, whyNoDamage } from '../native/index.js';

/** A monitor of an X display. */
export interface MonitorRow extends Rect {
  /** Counted from 1, as `--monitor` takes it. */
  readonly number: number;
  readonly name: string;
  readonly primary: boolean;
  /** What captures it. */
  readonly argument: string;
}

/** A window of an X display that is shown and has a title. */
export interface WindowRow extends Rect {
  /** `0x1e00003`. */
  readonly id: string;
  readonly title: string;
  readonly class: string;
  /** What captures it. */
  readonly argument: string;
}

/** A camera or capture card. */
export interface CameraRow {
  readonly name: string;
  /** `/dev/video0`, or empty where its provider does not say. */
  readonly path: string;
  /** What captures it; undefined without a path. */
  readonly argument?: string;
}

/** A microphone, or what another sound device plays. */
export interface AudioRow {
  readonly name: string;
  /** The sound server's name of it. */
  readonly path: string;
}

/** What a machine has to capture. */
export interface SourceList {
  readonly monitors: readonly MonitorRow[];
  readonly windows: readonly WindowRow[];
  readonly cameras: readonly CameraRow[];
  readonly audio: readonly AudioRow[];
  /** Why there are no monitors and windows. */
  readonly displayError?: CapError;
}

/**
 * Lists monitors and windows of an X display, cameras and audio inputs. A machine without a display still has the rest.
 * @param display such as `:0`. @default $DISPLAY
 */
export async function listSources(display?: string): Promise<SourceList> {
  const devices = await listDevices();
  const of = (kind: string) => devices.filter((device) => device.class.startsWith(kind));
  const cameras = of('Video/').map(({ name, path }) => ({ name, path, ...cameraArgument(path) }));
  const audio = of('Audio/').map(({ name, path }) => ({ name, path }));
  try {
    return { monitors: listMonitors(display), windows: listWindows(display), cameras, audio };
  } catch (error) {
    return { monitors: [], windows: [], cameras, audio, displayError: toCapError(error) };
  }
}

/** @throws CAP_DISPLAY_UNAVAILABLE */
export function listMonitors(display?: string): MonitorRow[] {
  return describeDisplay(displayName(display)).monitors.map(({ name, primary, x, y, width, height }, index) => {
    const number = index + 1;
    return { number, name, primary, x, y, width, height, argument: `--monitor ${number}` };
  });
}

/** @throws CAP_DISPLAY_UNAVAILABLE */
export function listWindows(display?: string): WindowRow[] {
  return describeDisplay(displayName(display)).windows.map(({ id, title, className, x, y, width, height }) => {
    const hex = `0x${id.toString(16)}`;
    return { id: hex, title, class: className, x, y, width, height, argument: `--window ${hex}` };
  });
}

const cameraArgument = (path: string) =>
  path.startsWith('/dev/') ? { argument: `--source v4l2://${path.split('/').map(encodeURIComponent).join('/')}` } : {};

/** Why a display cannot be captured by damage; undefined when it can. */
export function whyNotByDamage(display: string): string | undefined {
  return whyNoDamage(display);
}

/** The display that is meant. @throws CAP_DISPLAY_UNAVAILABLE when there is none */
export function displayName(display = process.env.DISPLAY ?? ''): string {
  if (display !== '') return display;
  throw new CapError('CAP_DISPLAY_UNAVAILABLE', 'there is no display: DISPLAY is not set', {
    hint: 'run in a desktop session, name one with --display, or use --source test',
  });
}
