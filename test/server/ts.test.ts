import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { HttpServer } from '../../src/server/http-server.js';
import { type TsDoorOptions, tsDoor } from '../../src/server/ts-door.js';
import { CaptureSession, type CaptureSessionOptions, StreamTable } from '../../src/session/index.js';
import { splitByteStream } from '../support/access-units.js';
import { testPicture } from '../support/capture.js';
import { ffmpegFrames, gstreamerFrames, probe, vlcPictures } from '../support/media-clients.js';
import { run } from '../support/process.js';
import { readProcessUsage } from '../support/process-usage.js';
import { metadataOf } from '../support/unit-metadata.js';

async function serveTs({ door, ...options }: CaptureSessionOptions & { readonly door?: TsDoorOptions } = {}) {
  const session = await CaptureSession.open({ source: testPicture(), ...options });
  const streams = new StreamTable();
  const server = await HttpServer.open({ port: 0, doors: [tsDoor(streams, door)] });
  streams.add({ path: '/cap', label: session.label, stream: session.stream });
  const close = async (): Promise<void> => {
    await server.close();
    await session.close();
  };
  const readers = (): number => [...streams].reduce((sum, served) => sum + (streams.readersOf(served).ts ?? 0), 0);
  return { session, streams, readers, url: `${server.url}/ts/cap.ts`, [Symbol.asyncDispose]: close };
}

/** Takes so many bytes, and goes. */
async function take(url: string, bytes: number): Promise<Buffer> {
  const leave = new AbortController();
  const { body } = await fetch(url, { signal: leave.signal });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bytes) break;
  }
  leave.abort();
  return Buffer.concat(chunks);
}

const PATIENCE = { timeout: 10_000 };

test('ffmpeg, VLC and GStreamer play it', async () => {
  await using served = await serveTs();
  expect(await probe(served.url)).toMatchObject({ codec: 'h264', widthPx: 320, heightPx: 240 });
  expect(await ffmpegFrames(served.url, 1)).toBeGreaterThan(10);
  expect(await gstreamerFrames(served.url, 1)).toBeGreaterThan(10);
  expect(await vlcPictures(served.url, 2)).toBeGreaterThan(0);
});

test('it begins with a key frame and has every picture, with its metadata', async () => {
  await using served = await serveTs({ encoder: { gopSeconds: 600 } });
  const folder = mkdtempSync(join(tmpdir(), 'cap-ts-'));
  try {
    const [recording, coded] = [join(folder, 'a.ts'), join(folder, 'a.h264')];
    writeFileSync(recording, await take(served.url, 200_000));
    await run('ffmpeg', ['-v', 'fatal', '-i', recording, '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', coded]);
    const { stdout } = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'packet=flags',
      '-of',
      'csv=p=0',
      recording,
    ]);
    expect(stdout).toMatch(/^K/);
    const numbers = splitByteStream(readFileSync(coded))
      .slice(0, -1)
      .map((unit) => metadataOf(unit).frameNumber);
    expect(numbers.length).toBeGreaterThan(10);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('each picture of a still screen is there at once, not with the next one', async () => {
  await using served = await serveTs({ fps: 1 });
  const { body } = await fetch(served.url);
  const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  await reader.read();
  const before = served.session.stats.framesEncoded;
  await reader.read();
  // Whatever waited for the picture after it would be one behind.
  expect(served.session.stats.framesEncoded - before).toBeLessThanOrEqual(1);
  await reader.cancel();
});

test('who leaves is forgotten at once, and makes room', async () => {
  await using served = await serveTs({ door: { maxReaders: 3 } });
  await take(served.url, 10_000);
  const { threads } = readProcessUsage(process.pid);
  const leave = new AbortController();
  const readers = await Promise.all([1, 2, 3].map(() => fetch(served.url, { signal: leave.signal })));
  expect(readers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(served.readers()).toBe(3);
  const refused = await fetch(served.url);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
  leave.abort();
  await vi.waitFor(() => expect(served.readers()).toBe(0), PATIENCE);
  await vi.waitFor(() => expect(readProcessUsage(process.pid).threads).toBeLessThanOrEqual(threads), PATIENCE);
  await take(served.url, 10_000);
});

test('one that takes nothing is dropped, and delays nobody', async () => {
  const noise = { kind: 'test', pattern: 'noise', size: { width: 640, height: 480 } } as const;
  await using served = await serveTs({ source: noise, door: { maxStallMs: 1500 } });
  const slow = connect(Number(new URL(served.url).port), '127.0.0.1');
  slow.write('GET /ts/cap.ts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await once(slow, 'data');
  slow.pause();
  // What the kernel takes for the slow one must fill up first. A quick one has its stream meanwhile.
  await vi.waitFor(async () => {
    await take(served.url, 500_000);
    await vi.waitFor(() => expect(served.readers()).toBe(0), 500);
  }, 40_000);
  const closed = once(slow, 'close').catch(() => {});
  slow.resume();
  await closed;
}, 60_000);

test('the stream ends where its mount does, and others are refused', async () => {
  await using served = await serveTs();
  const { body } = await fetch(served.url);
  const ended = new Response(body).arrayBuffer();
  served.streams.remove('/cap');
  expect((await ended).byteLength).toBeGreaterThanOrEqual(0);
  expect((await fetch(served.url)).status).toBe(404);
  expect((await fetch(served.url.replace('.ts', '.mp4'))).status).toBe(404);
  served.streams.add({ path: '/cap', label: '', stream: served.session.stream });
  expect((await fetch(served.url, { method: 'HEAD' })).headers.get('content-type')).toBe('video/mp2t');
  expect(served.readers()).toBe(0);
});
