import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test, vi } from 'vitest';
import { CaptureSession } from '../../src/session/index.js';
import { ReceivedStream, RtspServer } from '../../src/transport/index.js';
import { testPicture } from '../support/capture.js';
import { type ProcessOptions, type RunningProcess, start } from '../support/process.js';
import { readProcessUsage } from '../support/process-usage.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { metadataOf } from '../support/unit-metadata.js';

let socketName: string;
beforeEach(() => {
  socketName = `cap-test-${randomUUID()}`;
});

const PATIENCE = { timeout: 20_000 };

const openSession = (): Promise<CaptureSession> =>
  CaptureSession.open({ source: testPicture(), fps: 60, encoder: { gopSeconds: 600 } });

/**
 * Another process with a socket `s` and the socket's `name`, that does what the Python code says until it prints
 * "ready", and then waits. Node 20 pads names of the abstract namespace, so it cannot be the other end itself.
 */
async function peer(code: string, options: ProcessOptions = {}): Promise<RunningProcess> {
  const setUp = `import socket, sys\nname = "\\0" + sys.argv[1]\ns = socket.socket(socket.AF_UNIX)\n`;
  const running = start('/usr/bin/python3', ['-c', `${setUp}${code}\nsys.stdin.read()`, socketName], {
    keepStdinOpen: true,
    ...options,
  });
  await running.waitForOutput(/ready/);
  return running;
}

/** A stream that is received, and served. */
async function serveReceived() {
  const stream = new ReceivedStream(socketName);
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
  session.sendTo(socketName);
  await received.server.mount('/cap', received.stream);
  await using reader = await RtspPlayer.overTcp(received.url);
  await reader.waitForUnits(120);
  const numbers = reader.units.map((unit) => metadataOf(unit.data).frameNumber);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
});

test('who joins gets a key frame through the link, whatever the GOP', async () => {
  await using received = await serveReceived();
  await using session = await openSession();
  session.sendTo(socketName);
  await received.server.mount('/cap', received.stream);
  await using first = await RtspPlayer.overTcp(received.url);
  await first.waitForUnits(30);
  await using second = await RtspPlayer.overTcp(received.url);
  await vi.waitFor(() => expect(second.units.some((unit) => unit.key)).toBe(true), PATIENCE);
});

test('readers stay while another sender takes the place of the first, and time goes on', async () => {
  await using received = await serveReceived();
  const first = await openSession();
  first.sendTo(socketName);
  await received.server.mount('/cap', received.stream);
  await using reader = await RtspPlayer.overTcp(received.url);
  await reader.waitForUnits(30);
  await first.close();
  const before = reader.units.length;
  await using second = await openSession();
  second.sendTo(socketName);
  await reader.waitForUnits(30);
  expect(reader.units[before]?.key).toBe(true);
  const times = reader.units.map((unit) => unit.rtpTime);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
  expect(received.server.stats.readers).toHaveLength(1);
});

test('a receiver that hangs costs whole GOPs, and never holds capture up', async () => {
  await using _hangs = await peer(
    `s.bind(name); s.listen(); print("ready", flush=True); c = [s.accept() for _ in "ab"]`,
  );
  await using session = await CaptureSession.open({
    source: { kind: 'test', pattern: 'noise', size: { width: 640, height: 360 } },
    fps: 60,
  });
  const sender = session.sendTo(socketName);
  await vi.waitFor(() => expect(sender.stats.dropped).toBeGreaterThan(60), PATIENCE);
  const { framesEncoded } = session.stats;
  await vi.waitFor(() => expect(session.stats.framesEncoded).toBeGreaterThan(framesEncoded + 60), PATIENCE);
});

test('a receiver takes any bytes for the end of a sender, and then the next one', async () => {
  await using received = await serveReceived();
  const { descriptors } = readProcessUsage(process.pid);
  // Half of them begin as a message would: hello, caps, unit, key unit, with a small size.
  await using fuzzer = await peer(`
import random, struct
random.seed(7)
for i in range(200):
    s = socket.socket(socket.AF_UNIX)
    s.connect(name)
    data = random.randbytes(random.randrange(64))
    if i % 2: data = struct.pack("<II", random.randrange(1, 5), random.randrange(100)) + data
    try: s.sendall(data)
    except OSError: pass
    s.close()
print("ready", flush=True)`);
  await fuzzer.close();
  await using session = await openSession();
  session.sendTo(socketName);
  await received.server.mount('/cap', received.stream);
  await using reader = await RtspPlayer.overTcp(received.url);
  await reader.waitForUnits(5);
  // The session, the reader and the server's media have some of their own.
  expect(readProcessUsage(process.pid).descriptors).toBeLessThan(descriptors + 100);
});

test.runIf(process.getuid?.() === 0)('a process of another user is not let in', async () => {
  await using received = await serveReceived();
  await using stranger = await peer('s.connect(name); print("ready", s.recv(1), flush=True)', { unprivileged: true });
  await stranger.waitForOutput(/ready b''\n/);
  await using session = await openSession();
  session.sendTo(socketName);
  await received.server.mount('/cap', received.stream);
});

test('closing either end is idempotent, quick beside a silent other end, and gives the name back', async () => {
  const stream = new ReceivedStream(socketName);
  // A message that never ends.
  await using _silent = await peer('s.connect(name); s.sendall(bytes(3)); print("ready", flush=True)');
  await stream.close();
  await stream.close();
  expect(() => new ReceivedStream(socketName).close()).not.toThrow();
  await using session = await openSession();
  const sender = session.sendTo(socketName); // nobody listens
  await sender.close();
  await sender.close();
});
