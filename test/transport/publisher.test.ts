import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { type CapError, createStreamLogger } from '../../src/core/index.js';
import { CaptureSession } from '../../src/session/index.js';
import { parsePublishTarget } from '../../src/transport/index.js';
import { testPicture } from '../support/capture.js';
import { freePort } from '../support/port.js';
import { PublishServer } from '../support/publish-servers.js';

const PATIENCE = { timeout: 30_000 };

/** Key frames as rare as can be: the server must get one when it is there. */
const openSession = (lines: string[] = []): Promise<CaptureSession> =>
  CaptureSession.open({
    source: testPicture(),
    encoder: { gopSeconds: 600 },
    logger: createStreamLogger({ level: 'debug', stream: { write: (text) => lines.push(text) } }),
  });

const framesAt = (server: PublishServer, count: number) =>
  vi.waitFor(async () => expect((await server.frameNumbers()).length).toBeGreaterThan(count), PATIENCE);

const consecutive = (numbers: readonly number[]) => numbers.map((_, index) => (numbers[0] ?? 0) + index);

const SERVERS: [string, () => Promise<PublishServer>][] = [
  ['an RTSP server', () => PublishServer.rtsp()],
  ['an RTSP server that wants a login', () => PublishServer.rtsp('joe:over-there')],
  ['an RTMP server', () => PublishServer.rtmp()],
  ['an SRT server with a passphrase', () => PublishServer.srt('a-long-passphrase')],
  ['a WHIP server', () => PublishServer.whip()],
];

test.each(SERVERS)(
  '%s gets every frame with its metadata, and again when it is back',
  async (_, make) => {
    await using server = await make();
    await using session = await openSession();
    await server.start();
    const publisher = session.publish(server.url);
    await framesAt(server, 30);
    const numbers = await server.frameNumbers();
    expect(numbers).toEqual(consecutive(numbers));
    expect(publisher.stats).toMatchObject({ connected: true, dropped: 0 });

    await server.kill();
    await vi.waitFor(() => expect(publisher.stats).toMatchObject({ connected: false }), PATIENCE);
    expect(publisher.stats.failures).toBeGreaterThan(0);
    const before = Math.max(...(await server.frameNumbers()));
    await server.start();
    await vi.waitFor(() => expect(publisher.stats).toMatchObject({ connected: true }), PATIENCE);
    await vi.waitFor(
      async () => expect(Math.max(...(await server.frameNumbers()))).toBeGreaterThan(before + 60),
      PATIENCE,
    );
  },
  90_000,
);

test.each(['rtsp', 'rtmp', 'srt', 'whip+http'])(
  'nobody at an address of %s: it is said why, with growing pauses',
  async (scheme) => {
    await using session = await openSession();
    const publisher = session.publish(
      `${scheme}://127.0.0.1:${await freePort()}${scheme === 'srt' ? '' : '/live/key'}`,
    );
    const failures: [CapError, number][] = [];
    let connections = 0;
    publisher.on('disconnected', (...failure) => failures.push(failure)).on('connected', () => (connections += 1));
    await vi.waitFor(() => expect(failures.length).toBeGreaterThanOrEqual(2), PATIENCE);
    expect(failures[0]?.[0]).toMatchObject({
      code: 'CAP_STREAM_UNAVAILABLE',
      message: expect.stringMatching(/nothing (listens|answers) at 127\.0\.0\.1:\d+/),
    });
    expect(failures.slice(0, 2).map(([, retryMs]) => retryMs)).toEqual([500, 1000]);
    expect(connections).toBe(0);
    expect(publisher.stats).toMatchObject({ connected: false, delivered: 0 });
  },
  60_000,
);

test('a wrong password is told as such, and appears nowhere', async () => {
  await using server = await PublishServer.rtsp('joe:over-there');
  await server.start();
  const lines: string[] = [];
  await using session = await openSession(lines);
  const publisher = session.publish(server.url.replace('over-there', 'hush-hush'));
  const failed = new Promise<CapError>((resolve) => publisher.once('disconnected', resolve));
  expect(await failed).toMatchObject({ code: 'CAP_AUTH_FAILED' });
  await vi.waitFor(() => expect(lines.join('')).toMatch(/not published: the server wants.* publish=rtsp:/), PATIENCE);
  expect(lines.join('')).not.toContain('hush-hush');
});

describe('WHIP', () => {
  test('a token is asked for, sent, and appears nowhere; the session is ended', async () => {
    await using server = await PublishServer.whip('geheim-token');
    await server.start();
    const lines: string[] = [];
    await using session = await openSession(lines);
    const refused = session.publish(server.url);
    const failed = new Promise<CapError>((resolve) => refused.once('disconnected', resolve));
    expect(await failed).toMatchObject({ code: 'CAP_AUTH_FAILED', hint: expect.stringContaining('CAP_WHIP_TOKEN') });
    await refused.close();
    const publisher = session.publish(server.url, { whipToken: 'geheim-token' });
    await framesAt(server, 10);
    expect(publisher.stats).toMatchObject({ connected: true, failures: 0, server: server.url });
    expect(server.output).not.toContain('DELETE');
    await publisher.close();
    await vi.waitFor(() => expect(server.output).toMatch(/POST 201\n(.*\n)*DELETE 200\n/), PATIENCE);
    expect(lines.join('')).not.toContain('geheim');
  });

  test('a redirection is followed', async () => {
    await using server = await PublishServer.whip();
    await server.start();
    await using session = await openSession();
    session.publish(server.url.replace('/whip/', '/moved/'));
    await framesAt(server, 10);
    expect(server.output).toContain('POST 307\nPOST 201\n');
  });

  test('what a server answers instead is said', async () => {
    await using server = await PublishServer.whip();
    await server.start();
    await using session = await openSession();
    const publisher = session.publish(server.url.replace('live', 'none'));
    const failed = new Promise<CapError>((resolve) => publisher.once('disconnected', resolve));
    expect(await failed).toMatchObject({
      code: 'CAP_STREAM_UNAVAILABLE',
      message: 'the server does not take the stream: status 404 instead of 201',
    });
  });

  test('a token that the network can see is warned of', () => {
    const warning = (url: string) => parsePublishTarget(url, { whipToken: 'geheim-token' }).warning;
    expect(warning('whip+http://192.0.2.9/live')).toMatch(/can see the token for whip\+http:\/\/192\.0\.2\.9\/live/);
    expect(warning('whip+http://127.0.0.1/live')).toBeUndefined();
    expect(warning('whip+https://192.0.2.9/live')).toBeUndefined();
    expect(parsePublishTarget('whip+http://192.0.2.9/live').warning).toBeUndefined();
  });
});

test('a server that accepts and then says nothing delays neither capture nor closing', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  try {
    await using session = await openSession();
    const publishers = ['rtsp', 'rtmp', 'whip+http'].map((scheme) =>
      session.publish(`${scheme}://127.0.0.1:${port}/live/key`),
    );
    await vi.waitFor(() => expect(sockets.length).toBeGreaterThanOrEqual(3), PATIENCE);
    const { framesEncoded } = session.stats;
    await vi.waitFor(() => expect(session.stats.framesEncoded).toBeGreaterThan(framesEncoded + 90), PATIENCE);
    expect(publishers.map(({ stats }) => stats.connected)).toEqual([false, false, false]);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
}, 60_000);

test('what is secret in an address is not in its label', () => {
  const label = (url: string) => parsePublishTarget(url).label;
  expect(label('rtsp://joe:hush@host:554/a/b?token=1')).toBe('rtsp://host:554/a/b');
  expect(label('rtmp://joe:hush@host/app/inner/key?sign=1')).toBe('rtmp://host/app/inner');
  expect(label('srt://host:9000?passphrase=hush&streamid=publish:x')).toBe('srt://host:9000');
  expect(label('whip+https://host/a/b?key=hush')).toBe('whip+https://host/a/b');
});

test.each([
  ['http://host/x', /expected the URL of a server for --publish.*such as rtsp:/],
  ['nonsense', /expected the URL of a server/],
  ['rtsp://', /such as rtsp:\/\/user:password@host\/path/],
  ['rtmp://host/app', /such as rtmp:\/\/host\/app\/key/],
  ['whip+https://', /such as whip\+https:\/\/host\/path/],
  ['whip+https://token@host/x', /such as whip\+https:\/\/host\/path/],
  ['srt://host', /such as srt:\/\/host:9000/],
  ['srt://host:9000?mode=listener', /such as srt:\/\/host:9000/],
])('%s is refused', (url, text) => {
  const refusal = (): string => {
    try {
      parsePublishTarget(url);
      return 'accepted';
    } catch (error) {
      const { message, hint } = error as CapError;
      return `${message} ${hint}`;
    }
  };
  expect(refusal()).toMatch(text);
});
