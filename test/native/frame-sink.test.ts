import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native, Pipeline } from '../../src/native/index.js';
import { splitByteStream } from '../support/access-units.js';
import { run } from '../support/process.js';

const GOP = 4;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-frame-sink-'));
  file = join(folder, 'stream.h264');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Two GOPs of pictures in two slices each, as access units. */
async function encode(): Promise<Buffer[]> {
  const source = ['videotestsrc', `num-buffers=${2 * GOP}`, '!', 'video/x-raw,width=320,height=240'];
  const options = ['tune=zerolatency', `key-int-max=${GOP}`, 'threads=2', 'option-string=scenecut=0'];
  const caps = 'video/x-h264,stream-format=byte-stream,alignment=au';
  await run('gst-launch-1.0', [
    '-q',
    ...source,
    '!',
    'x264enc',
    ...options,
    '!',
    caps,
    '!',
    'filesink',
    `location=${file}`,
  ]);
  return splitByteStream(readFileSync(file));
}

/** The access unit without its picture's first slice, as a reader gets it who joins in the middle of it. */
function withoutFirstSlice(accessUnit: Buffer): Buffer {
  const starts: number[] = [];
  for (
    let at = accessUnit.indexOf('\0\0\x01', 0, 'latin1');
    at >= 0;
    at = accessUnit.indexOf('\0\0\x01', at + 3, 'latin1')
  ) {
    if ([1, 5].includes((accessUnit[at + 3] ?? 0) & 0x1f)) starts.push(at);
  }
  expect(starts).toHaveLength(2);
  return Buffer.concat([accessUnit.subarray(0, starts[0]), accessUnit.subarray(starts[1])]);
}

/** How many pictures come out of the decoder. */
async function decoded(accessUnits: readonly Buffer[]): Promise<number> {
  writeFileSync(file, Buffer.concat(accessUnits));
  const pipeline = new Pipeline(
    'filesrc name=source ! h264parse name=parse ! video/x-h264,stream-format=byte-stream,alignment=au ' +
      '! avdec_h264 max-threads=1 output-corrupt=false ! appsink name=frames sync=false async=false max-buffers=1',
    { source: { location: file } },
  );
  const sink = native((addon) => new addon.FrameSink(pipeline.native, 'frames', 'parse', () => undefined));
  try {
    const ended = new Promise<void>((resolve) => pipeline.once('ended', resolve));
    await pipeline.play();
    await ended;
    return sink.stats().decoded;
  } finally {
    sink.close();
    await pipeline.close();
  }
}

test('every whole picture is given', async () => {
  const units = await encode();
  expect(units).toHaveLength(2 * GOP);
  expect(await decoded(units)).toBe(2 * GOP);
});

test('a picture that lacks its beginning is not, nor are those made from it', async () => {
  const [first = Buffer.alloc(0), ...others] = await encode();
  expect(await decoded([withoutFirstSlice(first), ...others])).toBe(GOP);
});
