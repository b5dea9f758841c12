import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CaptureSession } from '../../src/session/index.js';
import { ReceivedStream, RtspServer } from '../../src/transport/index.js';
import { testPicture } from '../support/capture.js';
import { seededRandom } from '../support/prng.js';
import { readProcessUsage } from '../support/process-usage.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { metadataOf } from '../support/unit-metadata.js';

let folder: string;
let socketPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-link-'));
  socketPath = join(folder, 'units.sock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PATIENCE = { timeout: 20_000 };

const openSession = (): Promise<CaptureSession> =>
  CaptureSession.open({ source: testPicture(), fps: 60, encoder: { gopSeconds: 600 } });

/** A stream that is received, and served. */
async function serveReceived() {
  const stream = new ReceivedStream(socketPath);
  const server = new RtspServer({ port: 0 });
  return {
    stream,
    server,
    url: server.url('/cap'),
    async [Symbol.asyncDispose]() {
      await server.close();
      await stream.close();
    },
  };
}

test('every access unit arrives, in order, with what its SEI says', async () => {
  await using received = await serveReceived();
  await using session = await openSession();
  session.sendTo(socketPath);
  await received.server.mount('/cap', received.stream);
  await using reader = await RtspPlayer.overTcp(received.url);
  await reader.waitForUnits(120);
  const numbers = reader.units.map((unit) => metadataOf(unit.data).frameNumber);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
});

test('who joins gets a key frame through the link, whatever the GOP', async () => {
  await using received = await serveReceived();
  await using session = await openSession();
  session.sendTo(socketPath);
  await received.server.mount('/cap', received.stream);
  await using first = await RtspPlayer.overTcp(received.url);
  await first.waitForUnits(30);
  await using second = await RtspPlayer.overTcp(received.url);
  await vi.waitFor(() => expect(second.units.some((unit) => unit.key)).toBe(true), PATIENCE);
});

test('readers stay while another sender takes the place of the first, and time goes on', async () => {
  await using received = await serveReceived();
  const first = await openSession();
  first.sendTo(socketPath);
  await received.server.mount('/cap', received.stream);
  await using reader = await RtspPlayer.overTcp(received.url);
  await reader.waitForUnits(30);
  await first.close();
  const before = reader.units.length;
  await using second = await openSession();
  second.sendTo(socketPath);
  await reader.waitForUnits(30);
  expect(reader.units[before]?.key).toBe(true);
  const times = reader.units.map((unit) => unit.rtpTime);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
  expect(received.server.stats.readers).toHaveLength(1);
});

test('a receiver that hangs costs whole GOPs, and never holds capture up', async () => {
  const sockets: Socket[] = [];
  const hangs = createServer((socket) => sockets.push(socket.pause())).listen(socketPath);
  await using session = await CaptureSession.open({
    source: { kind: 'test', pattern: 'noise', size: { width: 640, height: 360 } },
    fps: 60,
  });
  const sender = session.sendTo(socketPath);
  try {
    await vi.waitFor(() => expect(sender.stats.dropped).toBeGreaterThan(60), PATIENCE);
    const { framesEncoded } = session.stats;
    await vi.waitFor(() => expect(session.stats.framesEncoded).toBeGreaterThan(framesEncoded + 60), PATIENCE);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => hangs.close(resolve));
  }
});

test('a receiver takes any bytes for the end of a sender, and then the next one', async () => {
  await using received = await serveReceived();
  const random = seededRandom(7);
  const { descriptors } = readProcessUsage(process.pid);
  for (let round = 0; round < 200; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
    // Half of them begin as a message would: hello, caps, unit, key unit.
    if (round % 2 === 0 && bytes.length >= 8) bytes.writeUInt32LE(1 + random.below(4), 0);
    if (round % 4 === 0 && bytes.length >= 8) bytes.writeUInt32LE(random.below(100), 4);
    const socket = connect(socketPath);
    await new Promise((resolve) => socket.on('error', resolve).on('close', resolve).end(bytes).resume());
  }
  await using session = await openSession();
  session.sendTo(socketPath);
  await received.server.mount('/cap', received.stream);
  await using reader = await RtspPlayer.overTcp(received.url);
  await reader.waitForUnits(5);
  // The session, the reader and the server's media have some of their own.
  expect(readProcessUsage(process.pid).descriptors).toBeLessThan(descriptors + 100);
});

test('closing either end is idempotent, quick beside a silent other end, and leaves no socket', async () => {
  const stream = new ReceivedStream(socketPath);
  const silent = connect(socketPath).on('error', () => {});
  await new Promise((resolve) => silent.once('connect', resolve));
  silent.write(Buffer.alloc(3)); // a message that never ends
  await stream.close();
  await stream.close();
  expect(existsSync(socketPath)).toBe(false);
  silent.destroy();
  await using session = await openSession();
  const sender = session.sendTo(socketPath); // nobody listens
  await sender.close();
  await sender.close();
});
