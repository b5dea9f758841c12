import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCommands, ProcessMark, runCap, startCap, startStream } from '../support/cap.js';
import { cloudArguments, FAKE_CLOUDS, type FakeCloud } from '../support/fake-provider/clouds.js';
import { CACHED_TOKENS, FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { freePort } from '../support/port.js';
import type { RunningProcess } from '../support/process.js';

let provider: FakeProvider;
let cap: RunningProcess;
let url: string;

beforeAll(buildCommands);
beforeEach(async () => {
  provider = await FakeProvider.start();
  ({ cap, url } = await startStream());
});
afterEach(async () => {
  await cap.close();
  await provider.close();
});

const TEXT = FAKE_DELTAS.join('');

const options = (cloud: FakeCloud): string[] => cloudArguments(cloud, provider.origin);
const keyOf = ({ keyVariable }: FakeCloud) => ({ env: { [keyVariable]: FAKE_KEY } });

describe.each(FAKE_CLOUDS)('with $title', (cloud) => {
  test('describe writes the text as it arrives, and asks what it was told to ask', async () => {
    let release = (): void => {};
    provider.script({ kind: 'hold', until: new Promise((resolve) => (release = resolve)) });
    const args = ['describe', url, ...options(cloud), '--prompt', 'What is this?'];
    await using look = startCap(args, keyOf(cloud));
    await look.waitForOutput(new RegExp(`^${FAKE_DELTAS[0]}$`));
    release();
    expect(await look.waitForExit()).toEqual({ code: 0, signal: null });
    expect(look.stdout).toBe(`${TEXT}\n`);
    expect(look.stderr).toBe('');
    expect(provider.requests).toHaveLength(1);
    expect(provider.requests[0]).toMatchObject({ prompt: 'What is this?', images: [{ width: 320, height: 240 }] });
  });

  test('--json prints one object with what it rests on and cost, and no key anywhere', async () => {
    const { code, stdout, stderr } = await runCap(['describe', url, ...options(cloud), '--json', '-v'], keyOf(cloud));
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toStrictEqual({
      text: TEXT,
      provider: cloud.name,
      model: `${cloud.model}-served`,
      frameNumber: expect.any(Number),
      frameAgeMs: expect.any(Number),
      images: [{ width: 320, height: 240, bytes: expect.any(Number), mediaType: expect.stringMatching(/^image\//) }],
      estimatedTokens: expect.any(Number),
      reportedTokens: {
        inputTokens: 110,
        outputTokens: FAKE_DELTAS.length,
        ...(cloud.reportsCache === false ? {} : { cachedTokens: CACHED_TOKENS }),
      },
      latencyMs: expect.any(Number),
    });
    expect(stdout + stderr).not.toContain(FAKE_KEY);
  });
});

const anthropic = FAKE_CLOUDS.find(({ name }) => name === 'anthropic') as FakeCloud;

test('watch answers again and again about newer frames, and sums up when it is told to stop', async () => {
  const args = ['watch', url, ...options(anthropic), '--every', '100ms', '--no-gate'];
  await using watch = startCap(args, keyOf(anthropic));
  await watch.waitForOutput(new RegExp(`(\\d\\d:\\d\\d:\\d\\d  ${TEXT}\\n +\\(frame \\d+, .*\\)\\n){3}`));
  watch.signal('SIGINT');
  expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
  const frames = [...watch.stdout.matchAll(/\(frame (\d+),/g)].map((match) => Number(match[1]));
  expect(frames).toEqual([...new Set(frames)].sort((a, b) => a - b));
  expect(watch.stderr).toMatch(
    /^\d+ frames seen, \d+ answered, 0 failed, 0 without news, \d+ superseded by newer ones\n$/,
  );
});

test('watch --json prints one object a line, and nothing else', async () => {
  const args = ['watch', url, ...options(anthropic), '--every', '100ms', '--settle', 'off', '--json', '-d', '2s'];
  const { code, stdout, stderr } = await runCap(args, keyOf(anthropic));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers.length).toBeGreaterThan(1);
  for (const answer of answers) {
    const receipt = {
      provider: 'anthropic',
      preset: 'source',
      images: [{ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    };
    expect(answer).toMatchObject({ text: TEXT, provider: 'anthropic', receipt });
  }
  expect(answers.slice(0, 2).map(({ receipt }) => receipt.reason)).toEqual(['first', 'changed']);
});

test('--deltas sends parts where the model profits from them, and warns where it does not', async () => {
  const every = ['--deltas', '--full-every', '50', '--every', '100ms', '--settle', 'off', '--json'];
  await using watch = startCap(['watch', url, ...options(anthropic), ...every], keyOf(anthropic));
  // The clock of the test picture is a small part of it.
  await watch.waitForOutput(/"delta":\{"whole":\{"width":\d+,"height":\d+\},"regions":\[\{/, 60_000);
  watch.signal('SIGINT');
  expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
  expect(watch.stderr).toBe('');
  const { stderr } = await runCap(['watch', url, '--deltas', '-d', '100ms']);
  expect(stderr).toContain('warn: pp-ocrv4 gains nothing by parts of a picture: the whole is sent each time\n');
}, 90_000);

test('a region, time, budget, price or provider that cannot be is one line', async () => {
  for (const [option, value, expected] of [
    ['--ignore-region', '1,2,3', 'x,y,w,h such as 100,50,1280,720'],
    ['--settle', 'soon', 'a duration such as 30s, 2m or 1h'],
    ['--heartbeat', '5ms', '1000 ms at least'],
    ['--budget', '2/day', 'a budget such as 200k-tokens/h or $2/day'],
    ['--price', '3', 'dollars for a million tokens in and out, such as 0.5/3'],
    ['--provider', 'local,nobody', 'one of local, openai'],
    ['--full-every', '0', 'a whole number from 1 to 1000'],
    ['--full-every', '3', 'the whole is sent each time (add --deltas)'],
  ] as const) {
    const { code, stderr } = await runCap(['watch', url, option, value]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(expected) });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  }
});

describe('--schema', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cap-schema-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const schemaFile = async (text: string): Promise<string> => {
    const path = join(folder, 'schema.json');
    await writeFile(path, text);
    return path;
  };
  const schema = JSON.stringify({ type: 'object', properties: { app: { type: 'string' } }, required: ['app'] });

  test('has the answer be JSON, alone on standard output, parsed with --json', async () => {
    provider.script({ kind: 'answer', deltas: ['{"app"', ':"xterm"}'] }, { kind: 'answer', deltas: ['{"app":"vi"}'] });
    const args = ['describe', url, ...options(anthropic), '--schema', await schemaFile(schema)];
    const plain = await runCap(args, keyOf(anthropic));
    expect(plain).toMatchObject({ code: 0, stdout: '{"app":"xterm"}\n', stderr: '' });
    const json = await runCap([...args, '--json'], keyOf(anthropic));
    expect(JSON.parse(json.stdout)).toMatchObject({ text: '{"app":"vi"}', data: { app: 'vi' } });
  });

  test('that is not kept at the second try either is an error of its own', async () => {
    const args = ['describe', url, ...options(anthropic), '--schema', await schemaFile(schema)];
    const { code, stdout, stderr } = await runCap(args, keyOf(anthropic));
    expect({ code, stdout }).toEqual({ code: 19, stdout: '' });
    expect(stderr).toMatch(
      /^cap: the answer does not satisfy the schema: it is not JSON: .* \(allow more output tokens, .*\)\n$/,
    );
    expect(provider.requests).toHaveLength(2);
  });

  test.each([
    ['{', /is not JSON/],
    ['{"type":"string"}', /does not describe an object/],
  ])('%s is refused before anything is opened', async (text, message) => {
    const { code, stderr } = await runCap(['watch', url, '--schema', await schemaFile(text)]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  test('of a file that is not there is refused', async () => {
    const { code, stderr } = await runCap(['describe', url, '--schema', join(folder, 'none.json')]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('cannot be read: ENOENT') });
  });
});

test('watch --memory tells the model what it said before', async () => {
  const args = ['watch', url, ...options(anthropic), '--every', '50ms', '--memory', '1'];
  await using watch = startCap(args, keyOf(anthropic));
  await expect.poll(() => provider.requests.length, { timeout: 20_000 }).toBeGreaterThan(2);
  watch.signal('SIGINT');
  await watch.waitForExit();
  const turns = provider.requests
    .slice(0, 3)
    .map(({ body }) => (body.messages as { role: string }[]).map(({ role }) => role));
  expect(turns).toEqual([['user'], ['user', 'assistant', 'user'], ['user', 'assistant', 'user']]);
});

test('a provider that is down is one line, and how often it came again another', async () => {
  const down = { kind: 'status', status: 503, headers: { 'retry-after-ms': '1', 'x-should-retry': 'false' } } as const;
  provider.script(down, down, down, down);
  const args = ['watch', url, ...options(anthropic), '--every', '50ms'];
  await using watch = startCap(args, keyOf(anthropic));
  await watch.waitForOutput(new RegExp(TEXT));
  watch.signal('SIGINT');
  await watch.waitForExit();
  const lines = watch.stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^warn: anthropic: 503 .*scripted 503.* \(try again later\)$/);
  expect(lines[1]).toBe('warn: … again (3 times)');
});

test('a budget stops the requests before it is passed, is kept for the next run, and says so', async () => {
  const state = await mkdtemp(join(tmpdir(), 'cap-state-'));
  try {
    const environment = { env: { ...keyOf(anthropic).env, XDG_STATE_HOME: state } };
    const limits = ['--max-tokens', '100', '--budget', '2k-tokens/day', '--every', '50ms', '--no-gate'];
    const args = ['watch', url, ...options(anthropic), ...limits];
    const before = provider.requests.length;
    await using watch = startCap(args, environment);
    await watch.waitForOutput(/the budget is used up: nothing is sent until there is room again\n/, 30_000, 2);
    watch.signal('SIGINT');
    expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
    expect(watch.stderr).toMatch(/half of the budget is used up: requests come farther apart\n/);
    expect(watch.stderr).toMatch(/, 1 over budget, /);
    const sent = provider.requests.length - before;
    expect(sent).toBeGreaterThan(1);
    expect(sent * (110 + FAKE_DELTAS.length)).toBeLessThanOrEqual(2000);
    await using again = startCap(args, environment);
    await again.waitForOutput(/the budget is used up/, 30_000, 2);
    expect(provider.requests).toHaveLength(before + sent);
    again.signal('SIGINT');
    await again.waitForExit();
  } finally {
    await rm(state, { recursive: true });
  }
});

test('the next provider answers while the first one fails', async () => {
  const down = { kind: 'status', status: 503, headers: { 'retry-after': '60', 'x-should-retry': 'false' } } as const;
  provider.script(down);
  const args = ['watch', url, ...options(anthropic), '--provider', 'anthropic,local', '--json', '-d', '12s'];
  const { code, stdout, stderr } = await runCap(args, keyOf(anthropic));
  expect(code).toBe(0);
  expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ provider: 'local', receipt: { costUsd: 0 } });
  expect(stderr).toMatch(/warn: anthropic: 503 .*; asking local\n/);
});

test('a stream that breaks is one line while it is away, and is found again', async () => {
  const port = new URL(url).port;
  const args = ['watch', url, ...options(anthropic), '--every', '50ms'];
  await using watch = startCap(args, keyOf(anthropic));
  await watch.waitForOutput(new RegExp(TEXT));
  await cap.close();
  await watch.waitForOutput(/nothing listens at .*; trying again\n/, 20_000, 2);
  const before = watch.stdout.length;
  await using _again = startCap(['--rtsp', '--rtsp-port', port, '--source', 'test', '--size', '320x240']);
  await watch.waitForOutput(new RegExp(`^[\\s\\S]{${before}}[\\s\\S]*${TEXT}`), 30_000);
  watch.signal('SIGINT');
  expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
  expect(watch.stderr.match(/nothing listens/g)).toHaveLength(1);
});

test('watch waits for a stream that is not there yet', async () => {
  const port = await freePort();
  const args = ['watch', `rtsp://127.0.0.1:${port}/cap`, ...options(anthropic), '--json'];
  await using watch = startCap(args, keyOf(anthropic));
  await watch.waitForOutput(/nothing listens at 127\.0\.0\.1:\d+; trying again\n/, 20_000, 2);
  await using _late = startCap(['--rtsp', '--rtsp-port', `${port}`, '--source', 'test', '--size', '320x240']);
  await watch.waitForOutput(/^\{.*\}\n/);
});

test('Ctrl-C ends describe in the middle of an answer, with status 0 and what there was of it', async () => {
  provider.script({ kind: 'hold', until: new Promise(() => {}) });
  await using look = startCap(['describe', url, ...options(anthropic)], keyOf(anthropic));
  await look.waitForOutput(new RegExp(`^${FAKE_DELTAS[0]}`));
  look.signal('SIGINT');
  expect(await look.waitForExit()).toEqual({ code: 0, signal: null });
  expect(look.stdout).toBe(`${FAKE_DELTAS[0]}\n`);
  expect(look.stderr).toBe('');
});

test('the local provider reads the picture with no key, and its reader ends with the command', async () => {
  const large = await startStream('--size', '1280x720');
  await using _large = large.cap;
  const mark = new ProcessMark();
  const { code, stdout, stderr } = await runCap(['describe', large.url, '--json'], { env: mark.env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ provider: 'local', model: 'pp-ocrv4', images: [{ width: 1280 }] });
  expect(JSON.parse(stdout).text).toContain('cap test');
  await mark.expectNone();
});
