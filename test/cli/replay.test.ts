import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readLedger } from '../../src/consumer/index.js';
import { buildCommands, runCap, startCap, startStream } from '../support/cap.js';
import { FAKE_DELTAS, FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import type { RunningProcess } from '../support/process.js';

const TEXT = FAKE_DELTAS.join('');

let provider: FakeProvider;
let cap: RunningProcess;
let url: string;
let folder: string;

beforeAll(async () => {
  await buildCommands();
  ({ cap, url } = await startStream('--size', '640x360'));
});
afterAll(() => cap?.close());
beforeEach(async () => {
  provider = await FakeProvider.start();
  folder = join(mkdtempSync(join(tmpdir(), 'cap-replay-')), 'ledger');
});
afterEach(async () => {
  await provider.close();
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

const env = { ANTHROPIC_API_KEY: FAKE_KEY, OPENAI_API_KEY: FAKE_KEY };
const anthropic = () => ['--provider', 'anthropic', '--base-url', provider.origin, '--model', 'claude-haiku-5-5'];
const openAi = () => ['--provider', 'openai', '--base-url', provider.baseUrl, '--model', 'gpt-5.6-luna'];

const startWatch = (...args: readonly string[]): RunningProcess =>
  startCap(
    [
      'watch',
      url,
      ...anthropic(),
      '--no-gate',
      '--every',
      '100ms',
      '--json',
      '--prompt',
      'Now?',
      '--ledger',
      folder,
      ...args,
    ],
    { env },
  );

/** A ledger with so many answers, of a watch that ended in good order. */
async function record(count: number): Promise<void> {
  await using watch = startWatch();
  await watch.waitForOutput(new RegExp(`^(\\{.*\\}\\n){${count}}`));
  watch.signal('SIGINT');
  expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
}

test('a watch that is killed leaves a ledger that lacks its last line at most', async () => {
  await using watch = startWatch();
  await watch.waitForOutput(/^(\{.*\}\n){3}/);
  watch.signal('SIGKILL');
  await watch.waitForExit();
  const answered = watch.stdout.trimEnd().split('\n').length;
  const { entries, broken } = await readLedger(folder);
  expect(entries.length).toBeGreaterThanOrEqual(answered - 1);
  expect(broken).toBeLessThanOrEqual(1);
  expect(entries[0]).toMatchObject({
    request: { prompt: 'Now?' },
    answer: { text: TEXT },
    receipt: { reason: 'ungated' },
  });
  // Whoever comes next is not kept out by what the killed one held.
  await record(1);
  expect((await readLedger(folder)).entries.length).toBeGreaterThan(entries.length);
});

test('the key is in none of its files', async () => {
  await record(1);
  const files = [
    join(folder, 'ledger.jsonl'),
    ...readdirSync(join(folder, 'images')).map((name) => join(folder, 'images', name)),
  ];
  for (const path of files) expect(readFileSync(path, 'latin1')).not.toContain(FAKE_KEY);
});

test('replay asks another model the same about smaller pictures, and compares', async () => {
  await record(2);
  const before = provider.requests.length;
  const { entries } = await readLedger(folder);
  const args = ['replay', folder, ...openAi(), '--scale-preset', 'p4', '--json'];
  const { code, stdout, stderr } = await runCap(args, { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const replayed = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(replayed).toHaveLength(entries.length);
  for (const one of replayed) {
    expect(one).toMatchObject({
      prompt: 'Now?',
      recorded: { provider: 'anthropic', images: ['640x360'], inputTokens: 110, text: TEXT },
      replayed: { provider: 'openai', images: ['320x180'], inputTokens: 110, outputTokens: 3, text: TEXT },
      alike: 1,
    });
    expect(one.replayed.imageTokens).toBeLessThan(one.recorded.imageTokens);
  }
  const asked = provider.requests.slice(before);
  expect(asked).toHaveLength(entries.length);
  expect(asked[0]).toMatchObject({ prompt: 'Now?', images: [{ width: 320, height: 180 }] });
});

test('replay prints a table, an entry in two lines, with what all of it cost', async () => {
  await record(2);
  provider.script({ kind: 'answer', deltas: ['A terminal ', 'shows an error.'] }, { kind: 'status', status: 400 });
  const { code, stdout } = await runCap(['replay', folder, ...anthropic(), '--last', '2'], { env });
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(1 + 2 * 2 + 2);
  expect(lines[0]).toMatch(/^ASKED +WHOM +IMAGES +IMAGE TOKENS +IN +OUT +COST +MS +ALIKE +ANSWER$/);
  expect(lines[1]).toMatch(new RegExp(`^\\d{4}-.* claude-haiku-5-5-served +640x360 .* ${TEXT}$`));
  expect(lines[2]).toMatch(/ 55 % +A terminal shows an error\.$/);
  expect(lines[4]).toMatch(/ failed: anthropic: 400/);
  expect(lines[5]).toMatch(/^all +then +2 /);
  expect(lines[6]).toMatch(/^all +now +2 .* 1 failed$/);
});

test('Ctrl-C ends a replay with what there was of it', async () => {
  await record(2);
  provider.script({ kind: 'answer', deltas: ['One.'] }, { kind: 'hold', until: new Promise(() => {}) });
  await using replay = startCap(['replay', folder, ...anthropic(), '--json'], { env });
  await replay.waitForOutput(/"One\."/);
  await expect.poll(() => provider.requests.at(-1)?.prompt).toBe('Now?');
  replay.signal('SIGINT');
  expect(await replay.waitForExit()).toEqual({ code: 0, signal: null });
  expect(replay.stdout.trimEnd().split('\n')).toHaveLength(1);
});

test('what cannot be is one line', async () => {
  const failed = async (...args: readonly string[]) => {
    const { code, stderr } = await runCap(args, { env });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    return `${code} ${stderr}`;
  };
  expect(await failed('replay', folder)).toMatch(/^2 cap: there is no ledger in .*: ENOENT \(cap watch --ledger DIR/);
  expect(await failed('watch', url, '--ledger-max-size', '1G')).toMatch(/^2 cap: --ledger-max-size is for --ledger/);
  expect(await failed('watch', url, '--ledger', folder, '--ledger-max-size', '1K')).toMatch(
    /^2 cap: expected a size such/,
  );
  writeFileSync(join(folder, '..', 'file'), '');
  expect(await failed('watch', url, '--ledger', join(folder, '..', 'file'))).toMatch(
    /^9 cap: the ledger in .* cannot be written/,
  );
  await record(1);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(await failed('replay', folder, '--scale-preset', 'p5')).toMatch(/^2 cap: unknown scale preset "p5"/);
  const images = readdirSync(join(folder, 'images')).map((name) => join(folder, 'images', name));
  for (const path of images) rmSync(path);
  expect(await failed('replay', folder)).toMatch(/^2 cap: the ledger's picture .* cannot be read: ENOENT/);
});
