import { join, parse } from 'node:path';

/**
 * One monitor's part of a recording: `out.mp4` of monitor 2 is `out-2.mp4`, and `out-2-3.mp4` when it came for the third
 * time. `{mount}` is `cap-2`. Where the name has the time, the monitor goes on where it was.
 */
export function monitorFile(path: string, number: number, times: number): string {
  const hasTime = /%[^%]/.test(path);
  const suffix = `-${number}${times > 1 && !hasTime ? `-${times}` : ''}`;
  if (path.includes('{mount}')) return path.replaceAll('{mount}', `cap${suffix}`);
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}${suffix}${ext}`);
}
