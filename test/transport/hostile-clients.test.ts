import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { seededRandom } from '../support/prng.js';
import { readProcessUsage } from '../support/process-usage.js';
import { RtspClient } from '../support/rtsp-client.js';
import { RtspPlayer } from '../support/rtsp-player.js';

let capture: ServedCapture;

beforeAll(async () => {
  capture = await serveCapture();
});

afterAll(() => capture[Symbol.asyncDispose]());

/** Sends bytes on a connection of their own, says that no more will come, and waits until the server has hung up. */
async function send(bytes: Buffer): Promise<void> {
  const socket = connect({ port: capture.server.port, host: '127.0.0.1' });
  socket.on('error', () => undefined); // a reset is an answer too
  socket.resume();
  socket.end(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
}

async function expectPlayable(): Promise<void> {
  await using reader = await RtspPlayer.overTcp(capture.url);
  await reader.waitForUnits(5);
}

/** Runs `attack`, after which no descriptor may be left open and a reader must still be able to play. */
async function expectUnharmed(attack: () => Promise<void>): Promise<void> {
  await attack(); // the first time fills caches
  const { descriptors } = readProcessUsage(process.pid);
  await attack();
  await vi.waitFor(() => expect(readProcessUsage(process.pid).descriptors).toBeLessThanOrEqual(descriptors), {
    timeout: 20_000,
  });
  await expectPlayable();
  expect(capture.server.stats.readers.length).toBeLessThanOrEqual(1); // the one of expectPlayable, if not yet gone
}

/** The requests of a whole session, with the session id of nobody. */
const dialogue = (): Buffer => {
  const { url } = capture;
  const transport = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n';
  return Buffer.from(
    `OPTIONS ${url} RTSP/1.0\r\nCSeq: 1\r\n\r\n` +
      `DESCRIBE ${url} RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n` +
      `SETUP ${url}/stream=0 RTSP/1.0\r\nCSeq: 3\r\n${transport}\r\n` +
      `PLAY ${url} RTSP/1.0\r\nCSeq: 4\r\nSession: 0123456789\r\nRange: npt=0-\r\n\r\n` +
      `SET_PARAMETER ${url} RTSP/1.0\r\nCSeq: 5\r\nContent-Length: 4\r\n\r\nping` +
      `TEARDOWN ${url} RTSP/1.0\r\nCSeq: 6\r\nSession: 0123456789\r\n\r\n`,
  );
};

test('nobody can publish', async () => {
  await using client = await RtspClient.open(capture.url);
  const sdp = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n';
  const announce = { headers: { 'Content-Type': 'application/sdp' }, body: sdp };
  const refusals = [
    await client.request('ANNOUNCE', announce),
    await client.request('RECORD', { headers: { Session: '1' } }),
    await client.request('RECORD'),
  ];
  for (const { status } of refusals) expect(status).toBeGreaterThanOrEqual(400);
  expect((await client.request('OPTIONS')).status).toBe(200);
  await expectPlayable();
});

test('junk is survived', async () => {
  const random = seededRandom(3);
  const junk = Array.from({ length: 100 }, (_, index) => {
    const bytes = Buffer.from(Array.from({ length: 1 + random.below(3000) }, () => random.below(256)));
    return index % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from('\r\n\r\n')]);
  });
  const others = [
    Buffer.alloc(200_000, 'A'),
    Buffer.from('$\0\xff\xff', 'latin1'),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  ];
  await expectUnharmed(async () => {
    for (const bytes of [...junk, ...others]) await send(bytes);
  });
});

test.each(['99999999999999999999', '2147483647', '70000', '-1'])(
  'a Content-Length of %s is survived',
  async (length) => {
    const request = `SET_PARAMETER ${capture.url} RTSP/1.0\r\nCSeq: 1\r\nContent-Length: ${length}\r\n\r\n`;
    const { rssBytes } = readProcessUsage(process.pid);
    await expectUnharmed(() => send(Buffer.from(request)));
    // What was announced must not be allocated.
    expect(readProcessUsage(process.pid).rssBytes - rssBytes).toBeLessThan(200 << 20);
  },
);

test('1,000 mutations of a session are survived', async () => {
  const random = seededRandom(11);
  const valid = dialogue();
  const mutate = (): Buffer => {
    const bytes = Buffer.from(valid);
    for (let change = 0; change <= random.below(6); change++) {
      bytes[random.below(bytes.length)] = random.below(3) === 0 ? 10 + 3 * random.below(2) : random.below(256);
    }
    return random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
  };
  await expectUnharmed(async () => {
    for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 10 }, () => send(mutate())));
  });
});
