import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/index.js';
import type { CapError } from '../../src/core/index.js';
import { rtspUser } from '../../src/transport/index.js';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { digestAnswer, type Login } from '../support/digest.js';
import { RtspClient } from '../support/rtsp-client.js';
import { RtspPlayer, SilentUdpPlayer } from '../support/rtsp-player.js';

const ALICE: Login = { user: 'alice', password: 'wonder land' };
const BOB: Login = { user: 'bob', password: 'the-builder' };
const CAROL: Login = { user: 'carol', password: 'christmas' };

const users = [
  rtspUser(ALICE.user, ALICE.password),
  rtspUser(BOB.user, BOB.password, ['/other']),
  rtspUser(CAROL.user, CAROL.password, ['/other', '/cap']),
];
const TCP = 'RTP/AVP/TCP;unicast;interleaved=0-1';

let capture: ServedCapture;
beforeAll(async () => {
  capture = await serveCapture({ rtsp: { users } });
});
afterAll(() => capture[Symbol.asyncDispose]());

describe('a server with users', () => {
  test.each([ALICE, CAROL])('lets in $user, who may read the mount', async (login) => {
    await using player = await RtspPlayer.overTcp(capture.url, { login });
    await player.waitForUnits(5);
    expect(capture.server.stats.readers).toMatchObject([{ user: login.user, path: '/cap' }]);
    await player.teardown();
  });

  test('asks for a login at every request but OPTIONS, and says nothing else before it', async () => {
    await using client = await RtspClient.open(capture.url);
    expect((await client.request('OPTIONS')).status).toBe(200);
    const headers = { Transport: TCP };
    for (const method of ['DESCRIBE', 'SETUP', 'ANNOUNCE']) {
      const { status, headers: answer } = await client.request(method, method === 'SETUP' ? { headers } : {});
      expect(status).toBe(401);
      expect(answer.get('www-authenticate')).toMatch(/^Digest realm="cap", nonce="[0-9a-f]{32}"$/);
    }
    // Nor whether a path exists.
    expect((await client.request('DESCRIBE', { url: `${capture.url}nothing` })).status).toBe(401);
  });

  test('forbids paths to who may not read them', async () => {
    await using client = await RtspClient.open(capture.url, { login: BOB });
    expect((await client.request('DESCRIBE')).status).toBe(403);
    expect((await client.request('SETUP', { headers: { Transport: TCP } })).status).toBe(403);
    expect((await client.request('DESCRIBE', { url: capture.url.replace('/cap', '/other') })).status).toBe(404);
    expect((await client.request('DESCRIBE', { url: capture.url.replace('/cap', '/otherwise') })).status).toBe(403);
  });

  test('takes an answer on the connection of its challenge alone', async () => {
    await using first = await RtspClient.open(capture.url);
    await using second = await RtspClient.open(capture.url);
    const challenge = (await first.request('DESCRIBE')).headers.get('www-authenticate') ?? '';
    const Authorization = digestAnswer(challenge, ALICE, 'DESCRIBE', capture.url);
    const stolen = await second.request('DESCRIBE', { headers: { Authorization } });
    expect(stolen.status).toBe(401);
    expect(stolen.headers.get('www-authenticate')).toContain('stale=true');
    expect((await first.request('DESCRIBE', { headers: { Authorization } })).status).toBe(200);
    // It is for that method alone.
    await using third = await RtspClient.open(capture.url);
    const other = (await third.request('DESCRIBE')).headers.get('www-authenticate') ?? '';
    const wrong = { Authorization: digestAnswer(other, ALICE, 'SETUP', capture.url) };
    expect((await third.request('DESCRIBE', { headers: wrong })).status).toBe(401);
  });

  test('takes no password in the clear', async () => {
    await using client = await RtspClient.open(capture.url);
    const Authorization = `Basic ${Buffer.from(`${ALICE.user}:${ALICE.password}`).toString('base64')}`;
    expect((await client.request('DESCRIBE', { headers: { Authorization } })).status).toBe(401);
  });

  test('keeps a session to the user who made it', async () => {
    await using player = await RtspPlayer.overTcp(capture.url, { login: ALICE });
    await using other = await RtspClient.open(capture.url, { login: CAROL });
    const headers = { Session: player.session };
    expect((await other.request('TEARDOWN', { headers })).status).toBe(454);
    await using stranger = await RtspClient.open(capture.url);
    expect((await stranger.request('TEARDOWN', { headers })).status).toBe(401);
    await player.waitForUnits(2);
    await player.teardown();
  });

  test('survives what no player sends', async () => {
    const headers = ['Digest', 'Digest ', 'Digest username', 'Digest username=', 'Digest ,,,=,"', 'Basic', '', 'x'];
    const long = `Digest username="${'a'.repeat(30_000)}", nonce="", response=""`;
    for (const Authorization of [...headers, long, 'Digest nonce="\\"", username="alice", uri="%"']) {
      await using client = await RtspClient.open(capture.url);
      await client.request('DESCRIBE', { headers: { Authorization } }).then(
        ({ status }) => expect([400, 401, 503]).toContain(status),
        () => undefined, // it may hang up
      );
    }
  });
});

test('who fails too often must wait, and those who read go on', async () => {
  await using guarded = await serveCapture({ rtsp: { users } });
  const failures: boolean[] = [];
  guarded.server.on('loginFailed', (_peer, blocked) => failures.push(blocked));
  await using player = await RtspPlayer.overTcp(guarded.url, { login: ALICE });
  const tries = Array.from({ length: 5 }, (_, index) => ({ user: 'alice', password: `guess-${index}` }));
  for (const login of [...tries, { user: 'nobody', password: 'nothing' }]) {
    await using client = await RtspClient.open(guarded.url, { login });
    const { status, reason, headers } = await client.request('DESCRIBE');
    if (failures.length <= 5) continue;
    expect([status, reason]).toEqual([503, 'Too many failed logins']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  // Not even with the right password, or guessing would show which it is.
  await using right = await RtspClient.open(guarded.url, { login: ALICE });
  expect((await right.request('DESCRIBE')).status).toBe(503);
  await vi.waitFor(() => expect(failures).toEqual([false, false, false, false, false, true, true]));
  expect(guarded.server.stats.failedLogins).toBe(7);
  await player.waitForUnits(5);
});

test('the sampler says why it is refused', async () => {
  await using served = await serveCapture({ rtsp: { users, maxReaders: 1 } });
  const failure = async (login: Login) => {
    await using sampler = new Sampler(served.url, { ...login, retryFirstConnection: false });
    return await sampler.next().then(
      () => undefined,
      (error: CapError) => `${error.code}: ${error.message}`,
    );
  };
  expect(await failure({ user: 'alice', password: 'not that' })).toMatch(/CAP_AUTH_FAILED: .*refuses those given/);
  expect(await failure(BOB)).toMatch(/CAP_AUTH_FAILED: .*may not read what is at that path/);
  await using _player = await RtspPlayer.overTcp(served.url, { login: ALICE });
  expect(await failure(ALICE)).toMatch(/CAP_STREAM_UNAVAILABLE: .*as many readers as it takes/);
});

describe('room', () => {
  test('a server takes so many readers and refuses the next in words', async () => {
    await using small = await serveCapture({ rtsp: { maxReaders: 2 } });
    const refused: string[] = [];
    small.server.on('readerRefused', (_peer, reason) => refused.push(reason));
    await using first = await RtspPlayer.overTcp(small.url);
    await using _second = await SilentUdpPlayer.open(small.url);
    await using late = await RtspClient.open(small.url);
    const { status, reason } = await late.request('SETUP', {
      headers: { Transport: TCP },
      url: `${small.url}/stream=0`,
    });
    expect([status, reason]).toEqual([453, 'Too many readers']);
    await vi.waitFor(() => expect(refused).toEqual(['Too many readers']));
    expect(small.server.stats.readersRefused).toBe(1);
    await first.teardown();
    await using next = await RtspPlayer.overTcp(small.url);
    await next.waitForUnits(2);
  });

  test('of many that come at once, no more than there is room for get in', async () => {
    await using small = await serveCapture({ rtsp: { maxReaders: 3 } });
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => RtspPlayer.overTcp(small.url)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    await vi.waitFor(() => expect(small.server.stats.readers).toHaveLength(3));
    for (const one of tries) if (one.status === 'fulfilled') await one.value.teardown();
  });

  test('a mount may have a limit of its own', async () => {
    await using served = await serveCapture();
    await served.server.mount('/cap/small', served.session.stream, { maxReaders: 1 });
    await using _first = await RtspPlayer.overTcp(`${served.url}/small`);
    await expect(RtspPlayer.overTcp(`${served.url}/small`)).rejects.toThrow('SETUP was answered with 453');
    await using _other = await RtspPlayer.overTcp(served.url);
    const paths = () => served.server.stats.readers.map(({ path }) => path);
    await vi.waitFor(() => expect(paths()).toEqual(['/cap/small', '/cap']));
  });
});

test.each([
  ['TCP', RtspPlayer.overTcp],
  ['UDP', SilentUdpPlayer.open],
])('a reader over %s can be kicked', async (_protocol, open) => {
  await using served = await serveCapture();
  const left: string[] = [];
  served.server.on('readerLeft', (_reader, reason) => left.push(reason));
  await using player = await open(served.url);
  // Whoever plays is counted right after the answer to PLAY.
  await vi.waitFor(() => expect(served.server.stats.readers).toHaveLength(1));
  const [reader] = served.server.stats.readers;
  expect(served.server.kick(4711)).toBe(false);
  expect(served.server.kick(reader?.id ?? 0)).toBe(true);
  await player.client.closed;
  await vi.waitFor(() => expect(left).toEqual(['kicked']));
  expect(served.server.stats.readers).toEqual([]);
  if (!(player instanceof SilentUdpPlayer)) return;
  // What was under way arrives; then nothing more is sent.
  const before = player.packets;
  await using other = await RtspPlayer.overTcp(served.url);
  await other.waitForUnits(10);
  expect(player.packets - before).toBeLessThan(5);
});
