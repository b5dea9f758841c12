import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { CapError } from '../core/index.js';
import { openFeed } from './feed.js';
import type { SourceDemand, VideoSource } from './video-source.js';

/** A camera or capture card of this machine. */
export interface V4l2Options {
  /** Such as `/dev/video0`. */
  readonly device: string;
}

/**
 * A Video4Linux device, raw or compressed as it likes best.
 * @throws CAP_SOURCE_NOT_FOUND when there is no such device, or it may not be opened
 */
export async function v4l2Source({ device }: V4l2Options, { fps }: SourceDemand): Promise<VideoSource> {
  requireDevice(device);
  return openFeed({
    label: `camera ${device}`,
    launch: 'v4l2src name=camera ! decodebin ! video/x-raw',
    properties: { camera: { device } },
    coded: false,
    paced: false,
    fps,
    afterwards: 'end',
    explain: (error) =>
      new CapError('CAP_SOURCE_NOT_FOUND', `cannot capture from ${device}: ${error.message}`, { cause: error }),
  });
}

function requireDevice(device: string): void {
  try {
    if (!statSync(device).isCharacterDevice()) throw new Error('it is not a device');
    accessSync(device, constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') {
      throw new CapError('CAP_SOURCE_NOT_FOUND', `${device} may not be opened`, {
        hint: 'add your user to the group "video" and log in again',
        cause: error,
      });
    }
    throw new CapError('CAP_SOURCE_NOT_FOUND', `there is no camera at ${device}${code ? '' : `: ${message}`}`, {
      hint: `cameras: ${camerasHere().join(', ') || 'none'}`,
      cause: error,
    });
  }
}

const camerasHere = (): string[] =>
  readdirSync('/dev')
    .filter((name) => /^video\d+$/.test(name))
    .map((name) => `/dev/${name}`);
