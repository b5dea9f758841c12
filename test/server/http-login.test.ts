import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Logger } from '../../src/core/index.js';
import { silentLogger } from '../../src/core/index.js';
import { type HttpOptions, type OpenedHttp, openHttp, WordsReport } from '../../src/server/index.js';
import { CaptureSession, rtspUser, StreamTable } from '../../src/session/index.js';
import { fingerprintOf, selfSignedIdentity, type TlsIdentity } from '../../src/transport/index.js';
import { testPicture } from '../support/capture.js';
import { startBrowser, ViewerPage } from '../support/viewer-page.js';
import { WhepClient } from '../support/whep-client.js';

const ANN = { username: 'ann', password: 'grüße: 77' };
const BOB = { username: 'bob', password: 'geheim88' };
const USERS = [rtspUser(ANN.username, ANN.password), rtspUser(BOB.username, BOB.password, ['/lab'])];

let session: CaptureSession;
let folder: string;
let identity: TlsIdentity;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-http-login-'));
  identity = await selfSignedIdentity(folder);
  session = await CaptureSession.open({ source: testPicture() });
});
afterAll(async () => {
  await session?.close();
  rmSync(folder, { recursive: true, force: true });
});

function serve(options: HttpOptions = {}): Promise<OpenedHttp> {
  const streams = new StreamTable();
  for (const path of ['/cap', '/lab/door']) streams.add({ path, label: session.label, stream: session.stream });
  return openHttp(streams, { port: 0, users: USERS, ...options });
}

const basic = ({ username, password }: typeof ANN) => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
});
const statusOf = async (url: string, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(url, { headers, redirect: 'error' });
  await response.body?.cancel();
  return response.status;
};

/** The status of a WebSocket's handshake: 101 when there is one. */
function upgrade(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      socket.close();
      resolve(101);
    });
    socket.on('unexpected-response', (_, { statusCode = 0 }) => {
      socket.terminate();
      resolve(statusCode);
    });
    socket.on('error', reject);
  });
}

describe('with users', () => {
  const DOORS = ['/', '/viewer/main.js', '/api/streams', '/api/webrtc', '/snapshot/lab/door.jpg', '/ts/lab/door.ts'];

  test.each(DOORS)('%s wants a login', async (path) => {
    await using server = await serve();
    const refused = await fetch(`${server.url}${path}`);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="cap", charset="UTF-8"');
    expect(await statusOf(`${server.url}${path}`, basic(ANN))).toBe(200);
    expect(await statusOf(`${server.url}${path}`, basic({ ...ANN, password: 'grüße' }))).toBe(401);
  });

  test('a hash is no password, and neither is another scheme a login', async () => {
    await using server = await serve();
    const ha1 = USERS[1]?.ha1 ?? '';
    for (const authorization of [basic({ ...BOB, password: ha1 }).authorization, `Bearer ${ha1}`, 'Basic', 'Basic :']) {
      expect(await statusOf(`${server.url}/api/streams`, { authorization })).toBe(401);
    }
  });

  test('a user sees the mounts that are theirs, and cannot find out about others', async () => {
    await using server = await serve();
    const paths = async (user: typeof ANN) =>
      ((await (await fetch(`${server.url}/api/streams`, { headers: basic(user) })).json()) as { path: string }[]).map(
        ({ path }) => path,
      );
    expect(await paths(ANN)).toEqual(['/cap', '/lab/door']);
    expect(await paths(BOB)).toEqual(['/lab/door']);
    const bob = (path: string) => statusOf(`${server.url}${path}`, basic(BOB));
    for (const mount of ['cap', 'none', 'laboratory', '%63ap']) {
      expect([mount, await bob(`/snapshot/${mount}.jpg`), await bob(`/ts/${mount}.ts`)]).toEqual([mount, 403, 403]);
      for (const path of [`/whep/${mount}`, `/api/streams/${mount}/words`]) {
        const headers = { ...basic(BOB), 'content-type': 'application/sdp' };
        expect((await fetch(`${server.url}${path}`, { method: 'POST', headers, body: '{}' })).status).toBe(403);
      }
      expect(await upgrade(`${server.url}/ws/${mount}`, basic(BOB))).toBe(404);
    }
    // No path leads out of what is theirs.
    for (const path of ['lab/../cap', 'lab%2F..%2Fcap', 'lab/%2e%2e/cap']) {
      expect(await bob(`/snapshot/${path}.jpg`)).not.toBe(200);
      const headers = { ...basic(BOB), 'content-type': 'application/sdp' };
      const offered = await fetch(`${server.url}/whep/${path}`, { method: 'POST', headers, body: '' });
      expect([403, 404]).toContain(offered.status);
    }
    expect(await bob('/snapshot/lab/door.jpg')).toBe(200);
  });

  test('a WebSocket and a WHEP session take the login, and the session is its owner’s', async () => {
    await using server = await serve();
    expect(await upgrade(`${server.url}/ws/lab/door`)).toBe(401);
    expect(await upgrade(`${server.url}/ws/lab/door`, basic(BOB))).toBe(101);
    await using stranger = await WhepClient.create();
    expect((await stranger.post(`${server.url}/whep/lab/door`)).status).toBe(401);
    await using viewer = await WhepClient.create();
    const answer = await viewer.post(`${server.url}/whep/lab/door`, basic(BOB));
    expect(answer.status).toBe(201);
    await expect.poll(() => viewer.packets).toBeGreaterThan(10);
    const end = (headers: Record<string, string>) => fetch(answer.session, { method: 'DELETE', headers });
    expect((await end({})).status).toBe(401);
    expect((await end(basic(ANN))).status).toBe(404);
    expect((await end(basic(BOB))).status).toBe(200);
  });

  test('a site that is allowed may ask whether it may ask, without a login', async () => {
    await using server = await serve({ allowedOrigins: ['https://friend.example'] });
    const headers = {
      origin: 'https://friend.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    };
    const preflight = await fetch(`${server.url}/api/streams`, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
    expect(preflight.headers.get('access-control-allow-credentials')).toBe(null);
    expect(await statusOf(`${server.url}/api/streams`, { origin: 'https://friend.example' })).toBe(401);
  });

  test('words are taken with a login, from the address or beside it', async () => {
    await using server = await serve();
    const stream = 'rtsp://127.0.0.1/cap';
    await expect(new WordsReport(new URL(server.url), stream).send('a', 'b')).rejects.toThrow('401');
    const { username: user, password } = ANN;
    await new WordsReport(new URL(server.url), stream, { user, password }).send('with a login', 'x');
    const address = new URL(server.url);
    Object.assign(address, BOB);
    const report = new WordsReport(address, stream);
    await expect(report.send('not his', 'x')).rejects.toThrow('403');
    await expect(report.send('not his', 'x')).rejects.not.toThrow(BOB.password);
    await new WordsReport(address, `${stream.replace('/cap', '')}/lab/door`).send('his', 'x');
  });
});

describe('who guesses', () => {
  const guess = (server: OpenedHttp, password: string): Promise<number> =>
    statusOf(`${server.url}/api/streams`, basic({ ...ANN, password }));

  test('must wait after five wrong passwords, with the right one too; who is connected goes on', async () => {
    const lines: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (line) => lines.push(line) };
    await using server = await serve({ logger });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<number>((resolve, reject) => {
        request(`${server.url}/api/streams`, { agent, headers: basic(ANN) }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode ?? 0));
        })
          .on('error', reject)
          .end();
      });
    try {
      expect(await ask()).toBe(200);
      for (let time = 0; time < 20; time += 1) expect(await guess(server, 'the same')).toBe(401);
      expect(server.stats.failedLogins).toBe(1);
      for (const password of ['b', 'c', 'd', 'e']) expect(await guess(server, password)).toBe(401);
      const blocked = await fetch(`${server.url}/api/streams`, { headers: basic(ANN) });
      expect(blocked.status).toBe(429);
      expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(20);
      expect(await upgrade(`${server.url}/ws/cap`, basic(ANN))).toBe(429);
      expect(await ask()).toBe(200);
      expect(server.stats.failedLogins).toBe(7);
      expect(lines[0]).toBe('HTTP: 127.0.0.1 failed to log in');
    } finally {
      agent.destroy();
    }
  });
});

describe('HTTPS', () => {
  test('is served with the certificate of RTSPS, and nothing without TLS', async () => {
    await using server = await serve({ tls: identity });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const { status, fingerprint } = await new Promise<{ status: number; fingerprint: string }>((resolve, reject) => {
      get(`${server.url}/api/streams`, { ca: identity.certificate, headers: basic(ANN), agent: false }, (response) => {
        const certificate = (response.socket as import('node:tls').TLSSocket).getPeerX509Certificate();
        response.resume().on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            fingerprint: fingerprintOf({ certificate: certificate?.toString() ?? '' }),
          }),
        );
      }).on('error', reject);
    });
    expect(status).toBe(200);
    expect(fingerprint).toBe(fingerprintOf(identity));
    await expect(fetch(server.url.replace('https', 'http'))).rejects.toThrow();
  });

  test.each([
    ['127.0.0.1', USERS, false, ''],
    ['0.0.0.0', [], true, 'asks nobody for a password'],
    ['0.0.0.0', USERS, false, 'can see passwords and pictures'],
    ['0.0.0.0', USERS, true, ''],
  ])('at %s it says what the network can do', async (host, users, secure, exposure) => {
    await using server = await serve({ host, users, ...(secure ? { tls: identity } : {}) });
    expect(server.exposure ?? '').toMatch(exposure === '' ? /^$/ : exposure);
  });
});

describe('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  test.each([
    ['http', undefined],
    ['https', true],
  ])('the page plays over %s after a login, and its WebSocket needs no other', async (scheme, secure) => {
    await using server = await serve(secure ? { tls: identity } : {});
    expect(server.url).toMatch(new RegExp(`^${scheme}:`));
    const context = await browser.newContext({ ignoreHTTPSErrors: true, httpCredentials: BOB });
    await using viewer = await ViewerPage.open(context, server.url);
    await expect.poll(() => viewer.tiles()).toMatchObject([{ path: '/lab/door', state: 'live' }]);
    const opened = viewer.page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket(location.href.replace(/^http/, 'ws') + 'ws/lab/door');
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('refused');
    })`);
    expect(await opened).toBe('open');
    expect(viewer.complaints).toEqual([]);
    await context.close();
  });

  test('without a login there is no page', async () => {
    await using server = await serve();
    const page = await browser.newPage();
    await expect(page.goto(server.url)).rejects.toThrow('ERR_INVALID_AUTH_CREDENTIALS');
    await page.close();
  });
});
