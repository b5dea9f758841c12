import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildCommands, runCap, startStream } from '../support/cap.js';
import { FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { connectMcp, textOf } from '../support/mcp.js';
import type { RunningProcess } from '../support/process.js';

const TEXT = FAKE_DELTAS.join('');

let provider: FakeProvider;
let cap: RunningProcess;
let url: string;

beforeAll(async () => {
  await buildCommands();
  ({ cap, url } = await startStream());
});
afterAll(() => cap?.close());
beforeEach(async () => {
  provider = await FakeProvider.start();
});
afterEach(() => provider.close());

const connect = (...args: readonly string[]) =>
  connectMcp('stdio', [url, '--provider', 'openai', '--base-url', provider.baseUrl, ...args], {
    OPENAI_API_KEY: FAKE_KEY,
  });

test('watch asks the model again and again, tells each answer as progress, and returns them all', async () => {
  await using mcp = await connect();
  const heard: string[] = [];
  const answer = await mcp.call(
    'watch',
    { prompt: 'Is the build done?', seconds: 3, every_seconds: 0.5 },
    { onprogress: ({ message = '' }) => heard.push(message) },
  );
  const lines = textOf(answer).split('\n');
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d frame \\d+: ${TEXT}$`));
  expect(heard).toEqual(lines);
  expect(provider.requests[0]).toMatchObject({ prompt: 'Is the build done?', images: [{ width: 320, height: 240 }] });
});

test('a model that refuses is an error of the tool, without the key', async () => {
  await using mcp = await connect();
  provider.script({ kind: 'status', status: 401 });
  const answer = await mcp.call('watch', { prompt: 'x', seconds: 30 });
  expect(answer.isError).toBe(true);
  expect(textOf(answer)).toMatch(/^openai: 401.*\(check the key in OPENAI_API_KEY/);
  expect(textOf(answer) + mcp.stderr()).not.toContain(FAKE_KEY);
});

test('ask_past shows the model what was seen and tells it what was said', async () => {
  await using mcp = await connect();
  const early = await mcp.call('ask_past', { question: 'What was there?' });
  expect(textOf(early)).toMatch(/^nothing was seen of this stream so far \(look first/);
  await mcp.call('look');
  // The clock of the test picture moves on.
  await mcp.call('wait_for_change', { timeout_seconds: 30 });
  await mcp.call('watch', { prompt: 'x', seconds: 1 });
  const answer = await mcp.call('ask_past', { question: 'What was there?', minutes: 1, max_pictures: 2 });
  expect(textOf(answer)).toBe(TEXT);
  const asked = provider.requests.at(-1);
  expect(asked?.images).toHaveLength(2);
  expect(asked?.prompt).toMatch(/oldest first: image 1 at [\d:]+, image 2 at [\d:]+\. It is [\d:]+ now\./);
  expect(asked?.prompt).toContain(`What was said about it then:\n`);
  expect(asked?.prompt).toMatch(/\n\nWhat was there\?$/);
});

test('with --remember what changes is kept though nobody looks', async () => {
  await using mcp = await connect('--remember');
  await expect
    .poll(async () => (await mcp.call('ask_past', { question: 'And?', max_pictures: 3 })).isError ?? false)
    .toBe(false);
  await expect
    .poll(async () => {
      await mcp.call('ask_past', { question: 'And?' });
      return provider.requests.at(-1)?.images.length;
    })
    .toBeGreaterThan(1);
});

test('several streams have names of their own, and are looked at by them', async () => {
  const other = await startStream('--size', '640x360');
  await using _other = other.cap;
  await using mcp = await connectMcp('stdio', [url, other.url]);
  expect((await mcp.call('list_sources')).structuredContent).toMatchObject({
    streams: [{ name: 'cap' }, { name: 'cap-2' }],
  });
  expect(textOf(await mcp.call('look'))).toContain('320x240 of all');
  expect(textOf(await mcp.call('look', { stream: 'cap-2' }))).toContain('640x360 of all');
});

test('a stream that is away is an error, and is there again with the next look', async () => {
  const first = await startStream();
  const port = new URL(first.url).port;
  await using mcp = await connectMcp('stdio', [first.url, '--linger', '1ms']);
  expect((await mcp.call('look')).isError).toBeFalsy();
  await first.cap.close();
  await expect.poll(async () => textOf(await mcp.call('look'))).toMatch(/nothing listens at .*\(/);
  const again = await startStream('--rtsp-port', port);
  await using _again = again.cap;
  expect((await mcp.call('look')).isError).toBeFalsy();
});

test('what the command line gets wrong ends it before any client waits', async () => {
  const usage = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runCap(['mcp', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return stderr;
  };
  expect(await usage('http://127.0.0.1/')).toMatch(/^cap: expected an rtsp:\/\/ URL for the stream, received/);
  expect(await usage(url, '--display', ':1')).toMatch(/^cap: --display is for what is captured here/);
  expect(await usage(url, '--no-cursor')).toMatch(/^cap: --no-cursor is for what is captured here/);
  expect(await usage('--tls-insecure')).toMatch(/^cap: --tls-insecure is for streams of servers/);
  expect(await usage('--always-on')).toMatch(/^cap: --always-on is for streams that are served/);
  expect(await usage('--window')).toMatch(/^cap: --window without a name cannot be used with cap mcp/);
  expect(await usage('--client-model', 'abacus')).toMatch(/^cap: it is not known how the model "abacus" counts tokens/);
  expect(await usage('--model', 'gpt-5')).toMatch(/^cap: the provider local takes no model/);
  expect(await usage('--http', '99999')).toMatch(/^cap: expected an address such as 127\.0\.0\.1:8890 for --http/);
  expect(await usage('--http', '0.0.0.0:0')).toMatch(/would show the screen to the whole network \(set CAP_MCP_TOKEN/);
  const { code } = await runCap(['mcp', '--provider', 'anthropic']);
  expect(code).toBe(11);
});
