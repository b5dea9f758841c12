import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { CapError } from '../core/index.js';
import { openFeed } from './feed.js';
import type { SourceDemand, VideoSource } from './video-source.js';

/** A video file, played at its own speed. */
export interface FileOptions {
  readonly path: string;
  /** Starts over at the end, for ever. @default false */
  readonly loop?: boolean | undefined;
}

/**
 * The first video stream of a file in any format that GStreamer plays. Frames above the demanded rate are left out.
 * @throws CAP_SOURCE_NOT_FOUND when it cannot be read or holds no video
 */
export async function fileSource({ path, loop = false }: FileOptions, { fps }: SourceDemand): Promise<VideoSource> {
  const location = resolve(path);
  const failed = (reason: string, cause: unknown): CapError =>
    new CapError('CAP_SOURCE_NOT_FOUND', `cannot play ${location}: ${reason}`, { cause });
  try {
    if (!statSync(location).isFile()) throw new Error('it is not a file');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw failed(missing ? 'there is no such file' : (error as Error).message, error);
  }
  return openFeed({
    label: `file ${location}`,
    launch: 'filesrc name=file ! decodebin ! video/x-raw',
    properties: { file: { location } },
    coded: false,
    paced: true,
    fps,
    afterwards: loop ? 'rewind' : 'end',
    explain: (error) => failed(error.message, error),
  });
}
