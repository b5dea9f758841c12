import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommands, commandPath, ProcessMark, startStream } from '../support/cap.js';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { type RunningProcess, runProgram } from '../support/process.js';

let provider: FakeProvider;
let cap: RunningProcess;
let url: string;

beforeAll(async () => {
  await buildCommands();
  provider = await FakeProvider.start();
  ({ cap, url } = await startStream());
});
afterAll(async () => {
  await cap.close();
  await provider.close();
});

/** Runs `cap … | head -1`; gives the first line, what cap wrote to standard error, and cap's status. */
async function firstLine(args: readonly string[], both = false) {
  const mark = new ProcessMark();
  const redirect = both ? '2>&1' : '';
  const script = `"$@" ${redirect} | head -1; echo "status \${PIPESTATUS[0]}"`;
  const command = [process.execPath, commandPath('cap'), ...args];
  const env = { ...mark.env, ANTHROPIC_API_KEY: FAKE_KEY };
  const { stdout, stderr } = await runProgram('bash', ['-c', script, 'bash', ...command], { env, timeoutMs: 20_000 });
  await mark.expectNone();
  const [line = '', status = ''] = stdout.trimEnd().split('\n');
  return { line, status, stderr };
}

const watch = () => ['watch', url, '--provider', 'anthropic', '--base-url', provider.origin, '--every', '20ms'];

test('watch --json | head -1 gives one answer and ends cleanly', async () => {
  const { line, status, stderr } = await firstLine([...watch(), '--json']);
  expect(JSON.parse(line)).toMatchObject({ provider: 'anthropic' });
  expect({ status, stderr }).toEqual({ status: 'status 0', stderr: '' });
});

test('watch 2>&1 | head -1, where the summary finds no reader either', async () => {
  expect((await firstLine(watch(), true)).status).toBe('status 0');
});

test.each([
  ['presets', /1920x1080 at each preset/],
  ['--help', /Usage: cap/],
])('%s | head -1', async (argument, expected) => {
  const { line, status, stderr } = await firstLine([argument]);
  expect(line).toMatch(expected);
  expect({ status, stderr }).toEqual({ status: 'status 0', stderr: '' });
});
