import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type HttpOptions, type OpenedHttp, openHttp } from '../../src/server/index.js';
import { CaptureSession, StreamTable } from '../../src/session/index.js';
import { testPicture } from '../support/capture.js';
import { WhepClient } from '../support/whep-client.js';

const OFFER = 'application/sdp';
const FRAGMENT = 'application/trickle-ice-sdpfrag';

let session: CaptureSession;
beforeAll(async () => {
  session = await CaptureSession.open({ source: testPicture() });
});
afterAll(() => session.close());

const streams = (): StreamTable => {
  const table = new StreamTable();
  table.add({ path: '/cap', label: session.label, stream: session.stream });
  table.add({ path: '/lab/door', label: session.label, stream: session.stream });
  return table;
};

const serve = (table = streams(), options: HttpOptions = {}): Promise<OpenedHttp> =>
  openHttp(table, { port: 0, allowedOrigins: ['https://friend.example'], ...options });

const post = (url: string, body: string, type = OFFER): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': type }, body });

describe('the endpoint', () => {
  test('OPTIONS says what it takes', async () => {
    await using server = await serve();
    const { status, headers } = await fetch(`${server.url}/whep/cap`, { method: 'OPTIONS' });
    expect(status).toBe(204);
    expect(headers.get('accept-post')).toBe(OFFER);
    expect(headers.get('allow')).toBe('OPTIONS, POST');
  });

  test('a preflight of an allowed site passes, and its page can read Location and ETag; one of another fails', async () => {
    await using server = await serve();
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${server.url}/whep/cap`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
      });
    const { status, headers } = await preflight('https://friend.example');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('https://friend.example');
    expect(headers.get('access-control-allow-methods')).toMatch(/POST.*PATCH|PATCH.*POST/);
    expect(headers.get('access-control-allow-headers')).toBe('content-type');
    expect((await preflight('https://example.org')).status).toBe(403);

    await using viewer = await WhepClient.create();
    const answer = await viewer.post(`${server.url}/whep/cap`, { origin: 'https://friend.example' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/Location.*ETag/);
    await using stranger = await WhepClient.create();
    expect((await stranger.post(`${server.url}/whep/cap`, { origin: 'https://example.org' })).status).toBe(403);
  });

  test('POST answers with the session, and the stream flows', async () => {
    await using server = await serve();
    await using viewer = await WhepClient.create({ audio: true });
    const { status, headers, body, session: url } = await viewer.post(`${server.url}/whep/lab/door`);
    expect(status).toBe(201);
    expect(headers.get('content-type')).toBe(OFFER);
    expect(headers.get('etag')).toMatch(/^"\S+"$/);
    expect(new URL(url).origin).toBe(server.url);
    expect(body).toMatch(/a=rtpmap:96 H264\/90000/);
    // The stream's own profile and level: 320x240 at 30 frames a second.
    expect(body).toMatch(/a=fmtp:96 profile-level-id=42c0(0d|14);packetization-mode=1;/);
    expect(body).toMatch(/m=audio(.|\r\n)*a=inactive/);
    const candidates = body.split('\r\n').filter((line) => line.startsWith('a=candidate:'));
    expect(candidates.length).toBeGreaterThan(0);
    for (const candidate of candidates) expect(candidate).toMatch(/ UDP \d+ 127\.0\.0\.1 \d+ typ host/);
    await expect.poll(() => viewer.packets).toBeGreaterThan(10);
  });

  test.each([
    ['a mount that is not there', '/whep/none', 'x', OFFER, 404],
    ['another type', '/whep/cap', 'x', 'text/plain', 415],
    ['no SDP', '/whep/cap', 'hello', OFFER, 400],
    ['an SDP that is no offer', '/whep/cap', 'v=0\r\nm=video 9 RTP/AVP 96\r\n', OFFER, 400],
    ['too much', '/whep/cap', 'x'.repeat(65 << 10), OFFER, 413],
  ])('%s is refused', async (_, path, body, type, status) => {
    await using server = await serve();
    const response = await post(server.url + path, body, type);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(/^[^\n]+$/);
  });

  test('an offer that lies is refused, and the server goes on', async () => {
    await using server = await serve();
    await using viewer = await WhepClient.create();
    const broken = [
      viewer.offer.replace(/a=ice-ufrag:.*\r\n/, ''),
      viewer.offer.replace(/a=fingerprint:.*\r\n/g, 'a=fingerprint:sha-256 00\r\n'),
      viewer.offer.replace('m=video', 'm=audio'),
      viewer.offer.replace(/m=video(.|\r\n)*/, (media) => media.repeat(40)),
    ];
    for (const offer of broken) expect((await post(`${server.url}/whep/cap`, offer)).status).toBe(400);
    expect((await viewer.post(`${server.url}/whep/cap`)).status).toBe(201);
  });

  test.each([
    ['another codec', (offer: string) => offer.replaceAll('H264/90000', 'VP8/90000')],
    ['packetization mode 0 alone', (offer: string) => offer.replaceAll('packetization-mode=1', 'packetization-mode=0')],
  ])('an offer with %s is not answered', async (_, change) => {
    await using server = await serve();
    await using viewer = await WhepClient.create();
    const response = await post(`${server.url}/whep/cap`, change(viewer.offer));
    expect(response.status).toBe(422);
    expect(await response.text()).toBe('the stream is H.264, and the offer has none with packetization-mode=1');
  });

  test('a profile that the stream does not have is answered as it was offered', async () => {
    await using server = await serve();
    await using viewer = await WhepClient.create({ format: 'profile-level-id=640c1f;packetization-mode=1' });
    expect((await viewer.post(`${server.url}/whep/cap`)).body).toContain('profile-level-id=640c1f');
  });

  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s is not for it', async (method) => {
    await using server = await serve();
    const response = await fetch(`${server.url}/whep/cap`, { method });
    expect({ status: response.status, allow: response.headers.get('allow') }).toEqual({
      status: 405,
      allow: 'OPTIONS, POST',
    });
  });
});

describe('the session', () => {
  const patch = (url: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, { method: 'PATCH', headers: { 'content-type': FRAGMENT, ...headers }, body });

  test('takes candidates, and tells what it does not take', async () => {
    await using server = await serve();
    await using viewer = await WhepClient.create();
    const { session: url, headers } = await viewer.post(`${server.url}/whep/cap`);
    const etag = headers.get('etag') ?? '';
    const statusOf = async (...request: Parameters<typeof patch>): Promise<number> => (await patch(...request)).status;
    const hidden = `${viewer.fragment}\r\na=candidate:9 1 UDP 1 3f2b.local 9 typ host`;
    expect(await statusOf(url, viewer.fragment, { 'if-match': etag })).toBe(204);
    expect(await statusOf(url, viewer.fragment)).toBe(204);
    expect(await statusOf(url, hidden)).toBe(204);
    expect(await statusOf(url, viewer.fragment, { 'if-match': '"other"' })).toBe(412);
    expect(await statusOf(url, viewer.fragment.replace(/ufrag:\S+/, 'ufrag:new1'), { 'if-match': '*' })).toBe(422);
    expect(await statusOf(url, 'a=mid:0')).toBe(400);
    expect(await statusOf(url, viewer.fragment, { 'content-type': 'text/plain' })).toBe(415);
    expect(await statusOf(`${url}0`, viewer.fragment)).toBe(404);
    expect((await fetch(url)).status).toBe(405);
    const options = await fetch(url, { method: 'OPTIONS' });
    expect(options.headers.get('accept-patch')).toBe(FRAGMENT);
  });

  test('ends by DELETE, once', async () => {
    await using server = await serve();
    await using viewer = await WhepClient.create();
    const { session: url } = await viewer.post(`${server.url}/whep/cap`);
    await expect.poll(() => viewer.packets).toBeGreaterThan(0);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(200);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(404);
    expect((await patch(url, viewer.fragment)).status).toBe(404);
  });

  test('has a key frame made when the viewer asks for one', async () => {
    await using server = await serve();
    await using viewer = await WhepClient.create();
    await viewer.post(`${server.url}/whep/cap`);
    await expect.poll(() => viewer.packets).toBeGreaterThan(0);
    const before = session.stream.stats.keyFrameRequests;
    viewer.requestKeyFrame();
    await expect.poll(() => session.stream.stats.keyFrameRequests).toBeGreaterThan(before);
  });

  test('ends with its stream, and when the viewer goes away', async () => {
    const table = streams();
    await using server = await serve(table);
    const readers = async (): Promise<unknown> =>
      ((await (await fetch(`${server.url}/api/streams`)).json()) as { readers: { webrtc: number } }[]).map(
        ({ readers }) => readers.webrtc,
      );
    await using first = await WhepClient.create();
    await first.post(`${server.url}/whep/cap`);
    await expect.poll(() => first.packets).toBeGreaterThan(0);
    expect(await readers()).toEqual([1, 1]); // both are the one stream
    first.connection.close();
    await expect.poll(readers).toEqual([0, 0]);

    await using second = await WhepClient.create();
    const { session: url } = await second.post(`${server.url}/whep/cap`);
    await expect.poll(() => second.packets).toBeGreaterThan(0);
    table.remove('/cap');
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(404);
    expect(await readers()).toEqual([0]);
  });

  test('ends when nobody connects, and makes room', async () => {
    await using server = await serve(streams(), { webrtc: { maxPeers: 1 } });
    await using absent = await WhepClient.create();
    const { status } = await post(`${server.url}/whep/cap`, absent.offer);
    expect(status).toBe(201);
    const refused = await post(`${server.url}/whep/cap`, absent.offer);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.text()).toBe('there are 1 WebRTC peers already (try again later)');
    const counters = await (await fetch(`${server.url}/api/webrtc`)).json();
    expect(counters).toEqual({ peers: 1, peersTotal: 1, peersDropped: 0, peersRefused: 1 });
    await using viewer = await WhepClient.create();
    await expect.poll(async () => (await viewer.post(`${server.url}/whep/cap`)).status, { timeout: 30_000 }).toBe(201);
  });
});

test('each viewer has a port of the range, and there are no more than that', async () => {
  await using server = await serve(streams(), { webrtc: { udpPorts: [53_417, 53_418] } });
  const ports = new Set<string | undefined>();
  for (let count = 0; count < 2; count += 1) {
    const { offer } = await WhepClient.create();
    const answer = await (await post(`${server.url}/whep/cap`, offer)).text();
    ports.add(/127\.0\.0\.1 (\d+) typ host/.exec(answer)?.[1]);
  }
  expect([...ports].sort()).toEqual(['53417', '53418']);
  await using late = await WhepClient.create();
  const refused = await post(`${server.url}/whep/cap`, late.offer);
  expect(refused.status).toBe(503);
  expect(await refused.text()).toContain('no UDP port from 53417 to 53418 is free');
});

test('what a peer reports of its reception is known of it', async () => {
  const table = new StreamTable();
  table.add({ path: '/cap', label: session.label, stream: session.stream });
  await using server = await serve(table);
  await using client = await WhepClient.create();
  expect((await client.post(`${server.url}/whep/cap`)).status).toBe(201);
  await vi.waitFor(() => expect(client.packets).toBeGreaterThan(0), 10_000); // it is connected
  await vi.waitFor(() => {
    client.estimateBitrate(1_500_000);
    expect(table.readerReports()).toEqual([
      {
        id: expect.stringMatching(/^webrtc \d+$/),
        path: '/cap',
        isLocal: true,
        rtcp: { packetsLost: expect.any(Number), highestSequence: expect.any(Number), jitterMs: expect.any(Number) },
        estimateKbps: expect.closeTo(1500, -1),
      },
    ]);
  }, 10_000);
});
