import { expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { type CapError, createStreamLogger, type Logger } from '../../src/core/index.js';
import { CaptureSession } from '../../src/session/index.js';
import { serveCapture, testPicture } from '../support/capture.js';
import { freePort } from '../support/port.js';
import { type RunningProcess, start } from '../support/process.js';
import { program } from '../support/programs.js';
import { startRefusingServer } from '../support/refusing-server.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { metadataOf } from '../support/unit-metadata.js';

const pull = (url: string) => ({ kind: 'rtsp', url }) as const;

/** Key frames a minute apart: who needs one must get it otherwise. */
const upstreamOptions = { source: testPicture(), encoder: { gopSeconds: 60 } };

async function startCamera(port: number): Promise<RunningProcess> {
  const source = 'videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=30/1';
  const launch = `( ${source} ! x264enc tune=zerolatency key-int-max=15 ! rtph264pay name=pay0 )`;
  const server = start(await program('peer_server'), [`${port}`, launch]);
  await server.waitForOutput(/rtsp:\S+/);
  return server;
}

function collect(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  return { lines, logger: createStreamLogger({ level: 'debug', stream: { write: (text) => lines.push(text) } }) };
}

test('a stream of cap is passed on byte for byte, its metadata too', async () => {
  await using upstream = await serveCapture(upstreamOptions);
  await using direct = await RtspPlayer.overTcp(upstream.url);
  await using downstream = await serveCapture({ source: pull(upstream.url) });
  expect(downstream.session.passesOn).toBe(true);
  expect(downstream.session.plan.canvas).toEqual({ width: 320, height: 240 });
  // The first to join begins at once, although the next key frame is a minute away.
  await using player = await RtspPlayer.overTcp(downstream.url);
  await player.waitForUnits(20);
  const numberOf = (unit: { readonly data: Buffer }): number => metadataOf(unit.data).frameNumber;
  const newest = Math.min(numberOf(player.units.at(-1) as never), numberOf(direct.units.at(-1) as never));
  const originals = new Map(direct.units.map((unit) => [numberOf(unit), unit.data]));
  const common = player.units.filter((unit) => numberOf(unit) <= newest && originals.has(numberOf(unit)));
  expect(common.length).toBeGreaterThan(10);
  // Only key frames may differ: they have the parameter sets for whoever joins.
  for (const unit of common)
    if (!unit.key) expect(unit.data.equals(originals.get(numberOf(unit)) as Buffer)).toBe(true);
  const numbers = player.units.map(numberOf);
  // A picture or two may be under way when it joins; then it gets all since the last key frame.
  const start = numbers.findLastIndex((number, index) => index === 0 || number <= (numbers[index - 1] ?? 0));
  expect(start).toBeLessThan(5);
  expect(player.units[start]?.key).toBe(true);
  expect(numbers.slice(start)).toEqual(numbers.slice(start).map((_, index) => (numbers[start] ?? 0) + index));
});

test('the only reader begins at once, whenever it comes', async () => {
  await using upstream = await serveCapture(upstreamOptions);
  await using downstream = await serveCapture({ source: pull(upstream.url) });
  for (let round = 0; round < 3; round++) {
    const sampler = new Sampler(downstream.url, { connectTimeoutMs: 5000 });
    try {
      const { sequence } = await sampler.next();
      const frame = await sampler.next({ afterSequence: sequence });
      expect(frame).toMatchObject({ width: 320, height: 240, metadata: { plan: 'source' } });
    } finally {
      await sampler.close();
    }
    await vi.waitFor(() => expect(downstream.server.stats.readers).toEqual([]), { timeout: 10_000 });
  }
  expect(upstream.server.stats.readersTotal).toBe(1);
});

test("a camera's stream gets the time of its arrival as metadata", async () => {
  const port = await freePort();
  await using _camera = await startCamera(port);
  const startedNs = process.hrtime.bigint();
  await using downstream = await serveCapture({ source: pull(`rtsp://127.0.0.1:${port}/cap`) });
  const sampler = new Sampler(downstream.url);
  try {
    const first = await sampler.next();
    const frame = await sampler.next({ afterSequence: first.sequence });
    expect(frame.metadata).toMatchObject({ source: { width: 320, height: 240 }, plan: 'source' });
    expect(frame.metadata?.capturedMonotonicNs).toBeLessThan(frame.receivedMonotonicNs);
    expect(frame.metadata?.capturedMonotonicNs).toBeGreaterThan(startedNs);
  } finally {
    await sampler.close();
  }
});

test.each([
  ['a preset', { scaling: { preset: 'p4' } }, { width: 160, height: 120 }],
  ['a rate', { fps: 10 }, { width: 320, height: 240 }],
  ['a quality', { encoder: { crf: 30 } }, { width: 320, height: 240 }],
])('%s makes it decode and encode', async (_what, options, size) => {
  await using upstream = await serveCapture(upstreamOptions);
  await using downstream = await serveCapture({ source: pull(upstream.url), ...options });
  expect(downstream.session.passesOn).toBe(false);
  const sampler = new Sampler(downstream.url);
  try {
    const { sequence } = await sampler.next();
    const frame = await sampler.next({ afterSequence: sequence });
    expect(frame).toMatchObject({ ...size, metadata: { source: { width: 320, height: 240 } } });
  } finally {
    await sampler.close();
  }
});

test.each([
  ['passed on', {}, true],
  ['scaled', { scaling: { preset: 'p4' } }, false],
])(
  'a reader of a stream that is %s outlasts an outage of the camera, on one timeline',
  async (_how, options, beginsAnew) => {
    const { lines, logger } = collect();
    await using upstream = await serveCapture(upstreamOptions);
    const { port } = upstream.server;
    await using downstream = await serveCapture({ source: pull(upstream.url), logger, ...options });
    await using player = await RtspPlayer.overTcp(downstream.url);
    await player.waitForUnits(10);
    await upstream.server.close();
    await vi.waitFor(() => expect(lines.join('')).toMatch(/trying again/), { timeout: 20_000 });
    const before = player.units.length;
    await upstream.session.serveRtsp('/cap', { port });
    await player.waitForUnits(before - player.units.length + 10);
    expect(lines.join('')).toMatch(/is back/);
    const times = player.units.map((unit) => unit.rtpTime);
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
    expect(player.units.slice(before).some((unit) => unit.key)).toBe(beginsAnew);
  },
);

test('credentials are in no label, log or error', async () => {
  await using server = await startRefusingServer();
  const { lines, logger } = collect();
  const url = `rtsp://me:geheim77@127.0.0.1:${server.port}/live?password=geheim88`;
  const error = await CaptureSession.open({ source: pull(url), logger }).then(
    () => undefined,
    (reason: CapError) => reason,
  );
  expect(error).toMatchObject({ code: 'CAP_AUTH_FAILED' });
  expect(server.authorizations.length).toBeGreaterThan(0);
  expect(`${error?.message} ${error?.hint} ${lines.join('')}`).not.toMatch(/geheim/);

  await using upstream = await serveCapture(upstreamOptions);
  const secret = upstream.url.replace('rtsp://', 'rtsp://me:geheim77@').concat('?password=geheim88');
  await using downstream = await serveCapture({ source: pull(secret), logger });
  expect(downstream.session.label).toBe(upstream.url);
  await upstream.server.close();
  await vi.waitFor(() => expect(lines.join('')).toMatch(/trying again/), { timeout: 20_000 });
  expect(lines.join('')).not.toMatch(/geheim/);
});

test('what cannot be reached is said', async () => {
  const url = `rtsp://127.0.0.1:${await freePort()}/cap`;
  await expect(CaptureSession.open({ source: pull(url) })).rejects.toMatchObject({
    code: 'CAP_STREAM_UNAVAILABLE',
    message: expect.stringContaining('nothing listens at 127.0.0.1'),
  });
});
