import { beforeAll, expect, test, vi } from 'vitest';
import { buildCommands, ProcessMark, startCap } from '../support/cap.js';
import { connectMcp } from '../support/mcp.js';

const SOURCE = ['--source', 'test://clock', '--size', '640x360'];
const HELLO = [
  {
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  },
  { method: 'notifications/initialized' },
];

const linesOf = (...messages: readonly object[]): string =>
  messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join('');

const call = (id: number, name: string, args: object = {}): object => {
  return { id, method: 'tools/call', params: { name, arguments: args } };
};

beforeAll(buildCommands);

test('standard output has the protocol and nothing else, however much there is to say', async () => {
  await using cap = startCap(['mcp', '-v', ...SOURCE, '--linger', '50ms'], { keepStdinOpen: true });
  cap.stdin.write(linesOf(...HELLO, call(2, 'look'), call(3, 'read_text')));
  await cap.waitForOutput(/"id":3[,}]/);
  await cap.waitForOutput(/capture rests/, 20_000, 2);
  const messages = cap.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(messages.map(({ jsonrpc }) => jsonrpc)).toEqual(messages.map(() => '2.0'));
  expect(messages.map(({ id }) => id).sort()).toEqual([1, 2, 3]);
});

test('a client that dies in the middle of a call leaves no process behind', async () => {
  const mark = new ProcessMark();
  await using cap = startCap(['mcp', '-v', ...SOURCE], { keepStdinOpen: true, env: mark.env });
  // The reader has a process of its own.
  cap.stdin.write(linesOf(...HELLO, call(2, 'read_text')));
  await cap.waitForOutput(/"id":2[,}]/);
  expect(mark.living().length).toBeGreaterThan(1);
  cap.stdin.write(linesOf(call(3, 'wait_for_change', { region: '16x16+0+0', timeout_seconds: 600 }), call(4, 'look')));
  await cap.waitForOutput(/"id":4[,}]/);
  cap.stdin.end();
  expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
  await mark.expectNone();
});

test('a client that closes its pipes while it is answered ends it, too', async () => {
  const mark = new ProcessMark();
  const mcp = await connectMcp('stdio', SOURCE, mark.env);
  const looking = mcp.call('look').catch(() => undefined);
  await mcp.close();
  await looking;
  await mark.expectNone();
  await mcp.expectNone();
});

test('a message without an end is not kept for ever', async () => {
  await using cap = startCap(['mcp', '-v', ...SOURCE], { keepStdinOpen: true });
  cap.stdin.write(linesOf(...HELLO));
  await cap.waitForOutput(/"id":1[,}]/);
  for (let mebibytes = 0; mebibytes < 12; mebibytes += 1) cap.stdin.write('x'.repeat(1 << 20));
  expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
  expect(cap.stderr).toMatch(/exceeded maximum size/);
});

test('what is no message is passed over', async () => {
  await using cap = startCap(['mcp', ...SOURCE], { keepStdinOpen: true });
  cap.stdin.write(`hello\n{}\n[1]\n${linesOf(...HELLO)}`);
  await cap.waitForOutput(/"id":1[,}]/);
  cap.stdin.end();
  expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it in good order', async (signal) => {
  await using cap = startCap(['mcp', ...SOURCE], { keepStdinOpen: true });
  cap.stdin.write(
    linesOf(...HELLO, call(2, 'look'), call(3, 'wait_for_change', { timeout_seconds: 600, region: '16x16+0+0' })),
  );
  await cap.waitForOutput(/"id":2[,}]/);
  cap.signal(signal);
  expect(await cap.waitForExit()).toEqual({ code: 0, signal: null });
  await vi.waitFor(() => expect(cap.stderr).toBe(''));
});
