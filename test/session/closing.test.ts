import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pipeline } from '../../src/native/index.js';
import { CaptureSession } from '../../src/session/index.js';
import { RtspServer } from '../../src/transport/index.js';
import { serveCapture, testPicture } from '../support/capture.js';
import { buildLibrary } from '../support/library.js';
import { freePort } from '../support/port.js';
import { readProcessUsage } from '../support/process-usage.js';
import { RtspPlayer } from '../support/rtsp-player.js';

const CLOSED = { code: 'CAP_CLOSED' };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-closing-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('after close everything fails, and closing again is the same closing', async () => {
  const { session, server, url } = await serveCapture();
  await using reader = await RtspPlayer.overTcp(url);
  await reader.waitForUnits(3);
  const recorder = await session.record(join(folder, 'out.mp4'));
  const closing = session.close();
  expect(session.close()).toBe(closing);
  await closing;
  await reader.client.closed; // its readers are told by the end of their connection

  await expect(session.serveRtsp()).rejects.toMatchObject(CLOSED);
  await expect(session.record(join(folder, 'other.mp4'))).rejects.toMatchObject(CLOSED);
  await expect(server.mount('/other', session.stream)).rejects.toMatchObject(CLOSED);
  await expect(server.unmount('/cap')).resolves.toBeUndefined();
  await server.close();
  await recorder.close();
  await session[Symbol.asyncDispose]();
  // What was counted can still be read.
  expect(session.stats.framesEncoded).toBeGreaterThan(0);
  expect(server.stats.readers).toEqual([]);
  expect(recorder.stats.delivered).toBeGreaterThanOrEqual(0);
});

test('a closed pipeline says so', async () => {
  const pipeline = new Pipeline('videotestsrc name=source ! fakesink');
  await pipeline.close();
  await pipeline.close();
  expect(() => pipeline.setProperty('source', 'pattern', 'ball')).toThrow(expect.objectContaining(CLOSED));
  expect(() => pipeline.stampFrames('source')).toThrow(expect.objectContaining(CLOSED));
  await expect(pipeline.play()).rejects.toMatchObject(CLOSED);
});

/** Fails over and over, and then holds no more descriptors or threads than after the first time. */
async function expectNothingLeaked(fail: () => Promise<void>): Promise<void> {
  for (let time = 0; time < 3; time++) await fail();
  const before = readProcessUsage(process.pid);
  for (let time = 0; time < 20; time++) await fail();
  await vi.waitFor(
    () => {
      const { descriptors, threads } = readProcessUsage(process.pid);
      expect(descriptors).toBeLessThanOrEqual(before.descriptors);
      expect(threads).toBeLessThanOrEqual(before.threads);
    },
    { timeout: 10_000 },
  );
}

test('what fails to open leaves nothing behind', async () => {
  await using capture = await serveCapture();
  const { session, server } = capture;
  const usage = { code: 'CAP_USAGE' };
  await expectNothingLeaked(async () => {
    const wrong = [
      { scaling: { preset: 'p5' } },
      { encoder: { crf: 52 } },
      { fps: 0 },
      { source: testPicture({ width: 1, height: 1 }) },
    ];
    for (const options of wrong) {
      await expect(CaptureSession.open({ source: testPicture(), ...options })).rejects.toMatchObject(usage);
    }
    const display = { code: 'CAP_DISPLAY_UNAVAILABLE' };
    await expect(CaptureSession.open({ source: { kind: 'screen', display: ':65000' } })).rejects.toMatchObject(display);
    await expect(session.serveRtsp('/cap', { port: server.port })).rejects.toMatchObject({
      code: 'CAP_PORT_UNAVAILABLE',
    });
    await expect(session.record(join(folder, 'none', 'out.mp4'))).rejects.toMatchObject({ code: 'CAP_OUTPUT_FAILED' });
    await expect(server.mount('no path', session.stream)).rejects.toMatchObject(usage);
  });
});

test('a pipeline that does not start leaves nothing behind', async () => {
  await expectNothingLeaked(async () => {
    const pipeline = new Pipeline('filesrc name=source ! fakesink', { source: { location: join(folder, 'none') } });
    await expect(pipeline.play()).rejects.toMatchObject({ code: 'CAP_PIPELINE_FAILED' });
    await pipeline.close();
  });
});

test('a session may be closed while a door is being opened', async () => {
  await expectNothingLeaked(async () => {
    const session = await CaptureSession.open({ source: testPicture() });
    const opening = Promise.allSettled([
      session.serveRtsp('/cap', { port: 0 }),
      session.record(join(folder, 'out.mp4')),
    ]);
    await session.close();
    const refused = { status: 'rejected', reason: expect.objectContaining(CLOSED) };
    expect(await opening).toEqual([refused, refused]);
  });
});

test('a server that cannot serve the path does not go on listening', async () => {
  const session = await CaptureSession.open({ source: testPicture() });
  try {
    const port = await freePort();
    await expect(session.serveRtsp('no path', { port })).rejects.toMatchObject({ code: 'CAP_USAGE' });
    await (await session.serveRtsp('/cap', { port })).close();
  } finally {
    await session.close();
  }
});

test('servers come and go on one stream', async () => {
  const session = await CaptureSession.open({ source: testPicture() });
  try {
    await expectNothingLeaked(async () => {
      const server = new RtspServer({ port: 0 });
      await server.mount('/one', session.stream);
      await server.mount('/two/more', session.stream);
      await using reader = await RtspPlayer.overTcp(server.url('/two/more'));
      await reader.waitForUnits(1);
      await server.unmount('/two/more');
      await reader.client.closed;
      await server.close();
    });
  } finally {
    await session.close();
  }
});

const CLOSED_IN_ORDER = `
  import { CaptureSession } from '$lib/session/index.js';
  import { Sampler } from '$lib/consumer/sampler.js';
  const session = await CaptureSession.open({ source: { kind: 'test', size: { width: 320, height: 240 } } });
  const server = await session.serveRtsp('/cap', { port: 0 });
  const recorder = await session.record(process.argv[2]);
  const sampler = new Sampler(server.url('/cap'));
  await sampler.next();
  await sampler.close();
  await session.close();
  console.log('closed');`;

const FORGOTTEN = CLOSED_IN_ORDER.replace('await sampler.close();\n  await session.close();', '').replace(
  "console.log('closed');",
  "console.log('closed'); process.exit(0);",
);

test.each([
  ['by itself once all is closed', CLOSED_IN_ORDER],
  ['in good order when it is told to while everything runs', FORGOTTEN],
])('a process ends %s', async (_, code) => {
  await using library = await buildLibrary();
  await using process = await library.run(code, join(folder, 'out.mp4'));
  await process.waitForOutput(/closed/);
  expect(await process.waitForExit(20_000)).toEqual({ code: 0, signal: null });
  expect(process.stderr).toBe('');
});
