import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FrameMetadata, parseSeiPayload } from '../../src/core/index.js';
import { splitByteStream } from './access-units.js';
import { run } from './process.js';

export interface RecordedPacket {
  readonly seconds: number;
  readonly durationSeconds: number;
  readonly key: boolean;
}

/** What is in a recorded file. */
export interface Recorded {
  readonly pictures: readonly RecordedPacket[];
  readonly sound: readonly RecordedPacket[];
  /** What each picture says of its capture. */
  readonly captured: readonly FrameMetadata[];
  /** The wall clock's time up to which it shows something. */
  readonly playsUntilMs: number;
}

/** Decodes the whole file, in which nothing may be wrong, and reads what is in it. */
export async function readRecorded(path: string): Promise<Recorded> {
  await expectDecodes(path);
  const entries = 'packet=codec_type,pts_time,duration_time,flags';
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', path]);
  const { packets } = JSON.parse(stdout) as { packets: Record<string, string>[] };
  const of = (type: string): RecordedPacket[] =>
    packets
      .filter(({ codec_type }) => codec_type === type)
      .map(({ pts_time, duration_time, flags }) => ({
        seconds: Number(pts_time),
        durationSeconds: Number(duration_time ?? 0),
        key: flags?.startsWith('K') ?? false,
      }));
  const pictures = of('video');
  const captured = (await accessUnitsOf(path)).map(metadataOf);
  const last = captured.at(-1);
  if (!last || captured.length !== pictures.length) throw new Error(`${path} has ${pictures.length} pictures`);
  const playsUntilMs = Number(last.capturedWallUs) / 1000 + (pictures.at(-1)?.durationSeconds ?? 0) * 1000;
  return { pictures, sound: of('audio'), captured, playsUntilMs };
}

async function expectDecodes(path: string): Promise<void> {
  // Pictures may lie closer together than the frame rate that ffmpeg would assume.
  const ownTimes = ['-fps_mode', 'passthrough', '-enc_time_base', '-1'];
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', path, ...ownTimes, '-f', 'null', '-']);
  if (stderr !== '') throw new Error(`${path}: ${stderr}`);
}

async function accessUnitsOf(path: string): Promise<Buffer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cap-recorded-'));
  try {
    const file = join(folder, 'video.h264');
    await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', path, '-map', '0:v', '-c', 'copy', '-f', 'h264', file]);
    return splitByteStream(await readFile(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As docs/sei.md has it. */
const UUID = Buffer.from('7c1e5f2a9b644d0e8a37c4a9f0d15e62', 'hex').toString('latin1');

/** What the SEI message of an access unit says, read without the addon. */
function metadataOf(unit: Buffer): FrameMetadata {
  const plain = Buffer.from(unit.toString('latin1').replaceAll('\0\0\x03', '\0\0'), 'latin1');
  const at = plain.indexOf(UUID, 0, 'latin1');
  if (at === -1) throw new Error('the access unit carries no metadata');
  // The size of the message stands before it, in bytes of 255 and a last one (ITU-T H.264, 7.3.2.3.1).
  let bytes = plain.readUInt8(at - 1);
  for (let before = at - 2; plain.readUInt8(before) === 255; before--) bytes += 255;
  const metadata = parseSeiPayload(plain.subarray(at + UUID.length, at + bytes));
  if (!metadata) throw new Error('the metadata cannot be read');
  return metadata;
}
