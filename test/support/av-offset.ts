import { run } from './process.js';

/** A value of a stream, at its time in the stream. */
interface Level {
  readonly seconds: number;
  readonly value: number;
}

const BRIGHT = 100; // of 255
const LOUD_DB = -20;
const NEAR_SECONDS = 0.4;

/** By how much later than each flash of a file its beep comes, in milliseconds of the file's own time. */
export async function beepDelays(file: string): Promise<number[]> {
  // Sound in pieces of 2 ms.
  const measureSound = 'aresample=48000,asetnsamples=96,astats=metadata=1:reset=1';
  const [flashes, beeps] = await Promise.all([
    onsets(file, ['-map', '0:v', '-vf', 'signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-'], BRIGHT),
    onsets(
      file,
      ['-map', '0:a:0', '-af', `${measureSound},ametadata=print:key=lavfi.astats.Overall.RMS_level:file=-`],
      LOUD_DB,
    ),
  ]);
  return flashes.flatMap((flash) => {
    // The nearest one: a player on a busy machine may break a beep in two.
    const delays = beeps.map((beep) => beep - flash).sort((a, b) => Math.abs(a) - Math.abs(b));
    return delays.slice(0, 1).flatMap((delay) => (Math.abs(delay) < NEAR_SECONDS ? [delay * 1000] : []));
  });
}

/** When the level rises above the threshold. */
async function onsets(file: string, output: readonly string[], threshold: number): Promise<number[]> {
  const { stdout } = await run('ffmpeg', [
    '-v',
    'error',
    '-nostdin',
    '-copyts',
    '-i',
    file,
    ...output,
    '-f',
    'null',
    '-',
  ]);
  const found: number[] = [];
  let above = true;
  for (const { seconds, value } of levelsIn(stdout)) {
    if (value > threshold && !above) found.push(seconds);
    above = value > threshold;
  }
  return found;
}

function levelsIn(text: string): Level[] {
  return [...text.matchAll(/pts_time:(\S+)\n[^=\n]+=(\S+)\n/g)].map(([, seconds, value]) => ({
    seconds: Number(seconds),
    value: value === '-inf' ? -200 : Number(value),
  }));
}
