import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildCommands, ProcessMark, runCap, startCap, startStream } from '../support/cap.js';
import { FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
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

/** How to reach the fake provider as each of the providers. */
const CLOUDS = [
  { name: 'anthropic', key: 'ANTHROPIC_API_KEY', model: 'claude-haiku-5-5', base: () => provider.origin },
  { name: 'openai', key: 'OPENAI_API_KEY', model: 'gpt-5.6-luna', base: () => provider.baseUrl },
  {
    name: 'openai-compatible',
    key: 'OPENAI_COMPATIBLE_API_KEY',
    model: 'Qwen/Qwen3-VL-8B-Instruct',
    base: () => provider.baseUrl,
  },
] as const;

type Cloud = (typeof CLOUDS)[number];

const options = ({ name, base, model }: Cloud): string[] => [
  '--provider',
  name,
  '--base-url',
  base(),
  '--model',
  model,
];
const keyOf = ({ key }: Cloud) => ({ env: { [key]: FAKE_KEY } });

describe.each(CLOUDS)('with $name', (cloud) => {
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
      reportedTokens: { inputTokens: 110, outputTokens: FAKE_DELTAS.length },
      latencyMs: expect.any(Number),
    });
    expect(stdout + stderr).not.toContain(FAKE_KEY);
  });
});

const anthropic = CLOUDS[0];

test('watch answers again and again about newer frames, and sums up when it is told to stop', async () => {
  const args = ['watch', url, ...options(anthropic), '--every', '100ms'];
  await using watch = startCap(args, keyOf(anthropic));
  await watch.waitForOutput(new RegExp(`(\\d\\d:\\d\\d:\\d\\d  ${TEXT}\\n +\\(frame \\d+, .*\\)\\n){3}`));
  watch.signal('SIGINT');
  expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
  const frames = [...watch.stdout.matchAll(/\(frame (\d+),/g)].map((match) => Number(match[1]));
  expect(frames).toEqual([...new Set(frames)].sort((a, b) => a - b));
  expect(watch.stderr).toMatch(/^\d+ frames seen, \d+ answered, 0 failed, \d+ superseded by newer ones\n$/);
});

test('watch --json prints one object a line, and nothing else', async () => {
  const args = ['watch', url, ...options(anthropic), '--every', '100ms', '--json', '-d', '2s'];
  const { code, stdout, stderr } = await runCap(args, keyOf(anthropic));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers.length).toBeGreaterThan(1);
  for (const answer of answers) expect(answer).toMatchObject({ text: TEXT, provider: 'anthropic' });
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
