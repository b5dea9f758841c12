import { request } from 'node:http';
import { beforeAll, expect, test } from 'vitest';
import { openHttp } from '../../src/server/index.js';
import { CaptureSession, StreamTable } from '../../src/session/index.js';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { testPicture } from '../support/capture.js';
import { ServedConfig, TEST_MOUNT } from '../support/gateway.js';
import { occupyPort } from '../support/port.js';

beforeAll(buildCommands);

const listOf = async (url: string): Promise<{ path: string; newestAgeMs: number }[]> =>
  (await fetch(`${url}/api/streams`)).json() as Promise<{ path: string; newestAgeMs: number }[]>;

/** Status and headers of a GET, with headers that fetch() would not let one send. */
function get(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
    })
      .on('error', reject)
      .end();
  });
}

test('it lists its streams, with size and age', async () => {
  await using session = await CaptureSession.open({ source: testPicture() });
  const streams = new StreamTable();
  await using server = await openHttp(streams, { port: 0 });
  const list = () => listOf(server.url);
  expect(await list()).toEqual([]);
  streams.add({ path: '/cap', label: session.label, stream: session.stream });
  expect(await list()).toMatchObject([{ path: '/cap', label: 'test 320x240', width: 320, height: 240 }]);
  expect((await list())[0]?.newestAgeMs).toBeGreaterThan(0);
  streams.remove('/cap');
  expect(await list()).toEqual([]);
});

test.each([
  ['no page', {}, 200],
  ['a page of this server', { origin: 'SELF' }, 200],
  ['a page of another site', { origin: 'https://example.org' }, 403],
  ['a picture on a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
  ['a frame in a page of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' }, 403],
  ['a link on a page of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }, 200],
  ['a page from a file', { origin: 'null' }, 403],
  ['a site that is allowed', { origin: 'https://friend.example' }, 200],
  ['a name that resolves to here', { host: 'rebound.example' }, 421],
  ['a number that is no address', { host: '127.0.0.65536' }, 421],
  ['localhost', { host: 'localhost:1' }, 200],
])('a request from %s', async (_, headers: Record<string, string>, status) => {
  await using server = await openHttp(new StreamTable(), { port: 0, allowedOrigins: ['https://friend.example'] });
  const origin = headers.origin === 'SELF' ? server.url : headers.origin;
  const answer = await get(`${server.url}/api/streams`, { ...headers, ...(origin ? { origin } : {}) });
  expect(answer.status).toBe(status);
  const allowed = headers.origin === 'https://friend.example' ? headers.origin : undefined;
  expect(answer.headers['access-control-allow-origin']).toBe(allowed);
});

test('cap --http serves without RTSP, and cap serve where [http] says so', async () => {
  await using cap = startCap(['--http', '--http-port', '0', '--source', 'test']);
  const [url] = await cap.waitForOutput(/^http:\S+$/m);
  expect(await (await fetch(`${url}/api/streams`)).json()).toMatchObject([{ path: '/cap' }]);

  await using gateway = await ServedConfig.start(
    `[http]\nport = 0\n[mounts.a]\n${TEST_MOUNT}[mounts.b]\n${TEST_MOUNT}`,
  );
  await gateway.waitForPicture('/a');
  await gateway.waitForPicture('/b');
  const [address] = await gateway.command.waitForOutput(/^http:\S+$/m);
  const paths = (await listOf(`${address}`)).map((stream) => stream.path);
  expect(paths.sort()).toEqual(['/a', '/b']);
});

test('a port that is taken, and options that would do nothing, are refused', async () => {
  const { port, server } = await occupyPort();
  try {
    const { code, stderr } = await runCap(['--http', '--http-port', `${port}`, '--source', 'test']);
    expect({ code, stderr }).toEqual({
      code: 7,
      stderr: `cap: cannot serve HTTP on 127.0.0.1:${port}: the port is already in use (choose another with --http-port, or 0 for a free one)\n`,
    });
  } finally {
    server.close();
  }
  for (const idle of [
    ['--http-port', '1'],
    ['--allow-origin', 'https://a.example'],
  ]) {
    expect((await runCap(['--rtsp', '--source', 'test', ...idle])).stderr).toContain('is for --http (add --http)');
  }
});
