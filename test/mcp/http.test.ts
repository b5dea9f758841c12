import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommands, runCap, startCap } from '../support/cap.js';
import { mcpUrl } from '../support/mcp.js';
import type { RunningProcess } from '../support/process.js';

const SOURCE = ['--source', 'test://clock', '--size', '640x360'];
const TOKEN = 'a-token-of-the-tests-0123456789';
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

let cap: RunningProcess;
let url: string;
beforeAll(async () => {
  await buildCommands();
  cap = startCap(['mcp', '--http', '127.0.0.1:0', ...SOURCE]);
  url = await mcpUrl(cap);
});
afterAll(() => cap?.close());

interface Answer {
  readonly status: number | undefined;
  readonly session: string | undefined;
  readonly body: string;
}

/** As a client sends it; fetch would not let Host be another. */
function send(to: string, method: string, headers: Record<string, string>, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const accept = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    const sent = request(to, { method, headers: { ...accept, ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, session: response.headers['mcp-session-id']?.toString(), body: text }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const begin = (headers: Record<string, string> = {}, to = url): Promise<Answer> =>
  send(to, 'POST', headers, JSON.stringify(INITIALIZE));

test('pages of other sites and other names of this machine are refused before anything is looked at', async () => {
  expect((await begin({ host: 'rebound.example.org' })).status).toBe(421);
  expect((await begin({ origin: 'https://example.org' })).status).toBe(403);
  expect((await begin({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  const { status, session } = await begin({ origin: new URL(url).origin });
  expect(status).toBe(200);
  expect((await send(url, 'DELETE', { 'mcp-session-id': session ?? '', origin: 'https://example.org' })).status).toBe(
    403,
  );
  expect((await send(url, 'DELETE', { 'mcp-session-id': session ?? '' })).status).toBe(200);
});

test('each client has a session, which ends when it says so', async () => {
  const [one, other] = await Promise.all([begin(), begin()]);
  expect(one.session).toMatch(/^[\da-f-]{36}$/);
  expect(one.session).not.toBe(other.session);
  const list = (session = ''): Promise<Answer> =>
    send(url, 'POST', { 'mcp-session-id': session }, JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' }));
  expect((await list(one.session)).body).toContain('wait_for_change');
  expect((await send(url, 'DELETE', { 'mcp-session-id': one.session ?? '' })).status).toBe(200);
  expect((await list(one.session)).status).toBe(404);
  expect((await list(other.session)).status).toBe(200);
  expect((await send(url, 'DELETE', { 'mcp-session-id': other.session ?? '' })).status).toBe(200);
});

test('a request that is too large, belongs to no session or begins none is refused', async () => {
  expect((await send(url, 'POST', {}, JSON.stringify({ ...INITIALIZE, more: 'x'.repeat(2 << 20) }))).status).toBe(413);
  expect((await send(url, 'GET', {})).status).toBe(400);
  expect((await send(url, 'GET', { 'mcp-session-id': 'none' })).status).toBe(404);
  expect((await send(url, 'POST', {}, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}')).status).toBe(400);
  expect((await send(url, 'POST', {}, 'hello')).status).toBe(400);
  expect((await begin()).status).toBe(200);
});

test('there is room for so many clients', async () => {
  await using full = startCap(['mcp', '--http', '127.0.0.1:0', ...SOURCE]);
  const to = await mcpUrl(full);
  const answers = await Promise.all(Array.from({ length: 20 }, () => begin({}, to)));
  const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
  expect({ served: count(200), refused: count(503) }).toEqual({ served: 16, refused: 4 });
  const { session = '' } = answers.find(({ status }) => status === 200) ?? {};
  await send(to, 'DELETE', { 'mcp-session-id': session });
  expect((await begin({}, to)).status).toBe(200);
});

test('with a token nobody is answered without it', async () => {
  await using locked = startCap(['mcp', '--http', '127.0.0.1:0', ...SOURCE], { env: { CAP_MCP_TOKEN: TOKEN } });
  const to = await mcpUrl(locked);
  expect((await begin({}, to)).status).toBe(401);
  expect((await begin({ authorization: `Bearer ${TOKEN}x` }, to)).status).toBe(401);
  expect((await begin({ authorization: `Bearer ${TOKEN}` }, to)).status).toBe(200);
  expect(locked.stdout + locked.stderr).not.toContain(TOKEN);
});

test('a token that can be guessed and a port that is taken are refused', async () => {
  const short = await runCap(['mcp', '--http', ...SOURCE], { env: { CAP_MCP_TOKEN: 'short' } });
  expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining('fewer than 16 characters') });
  const taken = await runCap(['mcp', '--http', new URL(url).host, ...SOURCE]);
  expect(taken).toMatchObject({ code: 7, stderr: expect.stringContaining('choose another with --http') });
});

test('it ends when it is told to, with clients that wait', async () => {
  await using ending = startCap(['mcp', '--http', '127.0.0.1:0', ...SOURCE]);
  const to = await mcpUrl(ending);
  const { session = '' } = await begin({}, to);
  const wait = { name: 'wait_for_change', arguments: { region: '16x16+0+0', timeout_seconds: 600 } };
  const call = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: wait });
  const waiting = send(to, 'POST', { 'mcp-session-id': session }, call).catch(() => undefined);
  const look = JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'look' } });
  expect((await send(to, 'POST', { 'mcp-session-id': session }, look)).body).toContain('"type":"image"');
  ending.signal('SIGTERM');
  expect(await ending.waitForExit()).toEqual({ code: 0, signal: null });
  await waiting;
});
