import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openHttp } from '../../src/server/index.js';
import { CaptureSession, StreamTable } from '../../src/session/index.js';
import { testPicture } from '../support/capture.js';
import { WhepClient } from '../support/whep-client.js';

let session: CaptureSession;
beforeAll(async () => {
  session = await CaptureSession.open({ source: testPicture() });
});
afterAll(() => session.close());

function serve(maxPeers = 32) {
  const streams = new StreamTable();
  streams.add({ path: '/lab/door', label: session.label, stream: session.stream });
  return openHttp(streams, { port: 0, webrtc: { maxPeers } });
}

/** A socket with what it was told. */
class Socket implements AsyncDisposable {
  readonly messages: Record<string, string>[] = [];
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data))));
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
  }

  /** Rejects with the status of a refusal. */
  static open(url: string, headers: Record<string, string> = {}): Promise<Socket> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers });
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(new Socket(socket)));
      socket.on('error', reject);
    });
  }

  say(message: unknown): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
  }
}

const readersAt = async (url: string): Promise<number | undefined> =>
  ((await (await fetch(`${url}/api/streams`)).json()) as { readers: { webrtc: number } }[])[0]?.readers.webrtc;

test('an offer is answered, the stream flows, and bye ends it', async () => {
  await using server = await serve();
  await using viewer = await WhepClient.create();
  await using socket = await Socket.open(`${server.url}/ws/lab/door`);
  socket.say({ type: 'offer', sdp: viewer.offer });
  await expect.poll(() => socket.messages).toMatchObject([{ type: 'answer' }]);
  viewer.connection.setRemoteDescription(socket.messages[0]?.sdp ?? '', 'answer');
  socket.say({ type: 'candidate', candidate: /candidate:.*/.exec(viewer.fragment)?.[0], sdpMid: '0' });
  await expect.poll(() => viewer.packets).toBeGreaterThan(10);
  expect(await readersAt(server.url)).toBe(1);
  socket.say({ type: 'bye' });
  await socket.closed;
  await expect.poll(() => readersAt(server.url)).toBe(0);
});

test('it is the same peers as those of WHEP: their number, and their end', async () => {
  await using server = await serve(1);
  await using viewer = await WhepClient.create();
  const { session: taken } = await viewer.post(`${server.url}/whep/lab/door`);
  await using refused = await Socket.open(`${server.url}/ws/lab/door`);
  refused.say({ type: 'offer', sdp: viewer.offer });
  await refused.closed;
  expect(refused.messages).toEqual([{ type: 'error', message: 'there are 1 WebRTC peers already' }]);
  await fetch(taken, { method: 'DELETE' });

  await using late = await WhepClient.create();
  await using socket = await Socket.open(`${server.url}/ws/lab/door`);
  socket.say({ type: 'offer', sdp: late.offer });
  await expect.poll(() => socket.messages).toMatchObject([{ type: 'answer' }]);
  await server.close();
  await socket.closed;
});

test.each([
  ['no JSON', 'hello'],
  ['another message', '{"type": "answer", "sdp": ""}'],
  ['no offer to speak of', '{"type": "offer", "sdp": "v=0"}'],
  ['more than a message may have', 'x'.repeat(65 << 10)],
])('%s ends the socket', async (_, message) => {
  await using server = await serve();
  await using socket = await Socket.open(`${server.url}/ws/lab/door`);
  socket.say(message);
  await socket.closed;
  expect(await readersAt(server.url)).toBe(0);
});

test.each([
  ['a stream that is not there', '/ws/none', {}, 404],
  ['another path', '/api/streams', {}, 404],
  ['a page of another site', '/ws/lab/door', { origin: 'https://example.org' }, 403],
  ['a name that resolves to here', '/ws/lab/door', { host: 'rebound.example' }, 421],
])('%s is refused', async (_, path, headers: Record<string, string>, status) => {
  await using server = await serve();
  await expect(Socket.open(server.url + path, headers)).rejects.toThrow(`${status}`);
});
