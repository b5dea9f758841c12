import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './process.js';

const RATE = 48_000;
const BLOCK_FRAMES = RATE / 20;
const WAV_HEADER_BYTES = 44;

export interface ListenOptions {
  /** Which stream of sound, from 0. @default 0 */
  readonly track?: number;
  /** Seconds of the stream, where it does not end. */
  readonly seconds?: number;
}

/** The sound of a file or an RTSP url, decoded by ffmpeg: mono, 48 kHz, 1 at most. */
export async function listen(url: string, { track = 0, seconds }: ListenOptions = {}): Promise<Float64Array> {
  const folder = await mkdtemp(join(tmpdir(), 'cap-listen-'));
  try {
    const file = join(folder, 'sound.wav');
    const input = url.startsWith('rtsp') ? ['-rtsp_transport', 'tcp'] : [];
    const wanted = ['-map', `0:a:${track}`, ...(seconds ? ['-t', `${seconds}`] : [])];
    const output = ['-ac', '1', '-ar', `${RATE}`, '-bitexact', '-c:a', 'pcm_s16le', file];
    await run('ffmpeg', ['-v', 'error', '-nostdin', ...input, '-i', url, ...wanted, ...output]);
    const bytes = (await readFile(file)).subarray(WAV_HEADER_BYTES);
    return Float64Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readInt16LE(at * 2) / 32_768);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** In which share of the sound, by blocks of 50 ms, a tone of that frequency is most of what there is to hear. */
export function shareOfTone(sound: Float64Array, hz: number): number {
  const blocks = Math.floor(sound.length / BLOCK_FRAMES);
  let heard = 0;
  for (let at = 0; at < blocks; at += 1) {
    const block = sound.subarray(at * BLOCK_FRAMES, (at + 1) * BLOCK_FRAMES);
    const power = block.reduce((sum, value) => sum + value * value, 0) / block.length;
    if (power > 1e-4 && tonePower(block, hz) > power / 2) heard += 1;
  }
  return blocks === 0 ? 0 : heard / blocks;
}

/** Goertzel's algorithm: the mean square of the part of that frequency. */
function tonePower(block: Float64Array, hz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / RATE);
  let [last, before] = [0, 0];
  for (const value of block) [last, before] = [value + turn * last - before, last];
  return (2 * (last * last + before * before - turn * last * before)) / block.length ** 2;
}

/** The codecs of all streams of a file or an RTSP url. */
export async function codecsOf(url: string): Promise<string[]> {
  const input = url.startsWith('rtsp') ? ['-rtsp_transport', 'tcp'] : [];
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    ...input,
    '-show_entries',
    'stream=codec_name',
    '-of',
    'json',
    url,
  ]);
  return (JSON.parse(stdout).streams as { codec_name: string }[]).map(({ codec_name }) => codec_name);
}
