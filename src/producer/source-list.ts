import { type CapError, toCapError } from '../core/index.js';
import { listDevices } from '../native/index.js';
import { type AudioRow, listAudio } from './audio-list.js';
import type { DisplayChoice } from './display-server.js';
import { listMonitors, listWindows, type MonitorRow, type WindowRow } from './screen-list.js';

/** A camera or capture card. */
export interface CameraRow {
  readonly name: string;
  /** `/dev/video0`, or empty where its provider does not say. */
  readonly path: string;
  /** What captures it; undefined without a path. */
  readonly argument?: string;
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
 * Lists monitors and windows of a display, cameras, sound devices and the applications that play sound. A machine
 * without a display or a sound server still has the rest.
 */
export async function listSources(choice: DisplayChoice = {}): Promise<SourceList> {
  const [devices, audio] = await Promise.all([listDevices(), listAudio()]);
  const cameras = devices.map(({ name, path }) => ({ name, path, ...cameraArgument(path) }));
  try {
    return { monitors: listMonitors(choice), windows: listWindows(choice), cameras, audio };
  } catch (error) {
    return { monitors: [], windows: [], cameras, audio, displayError: toCapError(error) };
  }
}

const cameraArgument = (path: string) =>
  path.startsWith('/dev/') ? { argument: `--source v4l2://${path.split('/').map(encodeURIComponent).join('/')}` } : {};
