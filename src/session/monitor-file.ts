import { join, parse } from 'node:path';

/** One monitor's part of a recording: `out.mp4` of monitor 2 is `out-2.mp4`, and `out-2-3.mp4` when it came for the third time. */
export function monitorFile(path: string, number: number, times: number): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${number}${times > 1 ? `-${times}` : ''}${ext}`);
}
