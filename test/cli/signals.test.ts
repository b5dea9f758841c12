import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  buildCommands,
  type CommandName,
  listensForSignals,
  ProcessMark,
  startCommand,
  startStream,
  streamUrl,
} from '../support/cap.js';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { seededRandom } from '../support/prng.js';
import { type RunningProcess, run } from '../support/process.js';

/** The bound that the commands promise. */
const STOP_MS = 2000;
const random = seededRandom(20261121);

let folder: string;
let provider: FakeProvider;
let stream: { readonly cap: RunningProcess; readonly url: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-signals-'));
  await buildCommands();
  provider = await FakeProvider.start();
  stream = await startStream();
});
afterAll(async () => {
  await stream?.cap.close();
  await provider?.close();
  rmSync(folder, { recursive: true, force: true });
});

const picture = ['--source', 'test', '--size', '320x240'];

/** Starts a command, signals it so many milliseconds after its launcher can hear, and expects a clean end. */
async function signalAt(afterMs: number, name: CommandName, args: readonly string[]): Promise<RunningProcess> {
  const mark = new ProcessMark();
  const command = startCommand(name, args, { env: { ...mark.env, ANTHROPIC_API_KEY: FAKE_KEY } });
  try {
    await listensForSignals(command);
    await sleep(afterMs);
    const signal = random.below(2) === 0 ? 'SIGINT' : 'SIGTERM';
    command.signal(signal);
    const exit = await command.waitForExit(STOP_MS);
    const story = `${signal} after ${afterMs} ms\n${command.stderr}`;
    expect(exit, story).toEqual({ code: 0, signal: null });
    expect(command.stderr, story).not.toMatch(/^cap: |^\s+at /m);
    await mark.expectNone();
    return command;
  } finally {
    await command.close();
  }
}

/** So many moments, one in each of as many equal parts of the time, so that no part goes without. */
function moments(count: number, withinMs: number): number[] {
  const part = Math.floor(withinMs / count);
  return Array.from({ length: count }, (_, index) => index * part + random.below(part));
}

describe('a signal at any moment ends the command with status 0 and leaves nothing running', () => {
  test.each(moments(9, 700))('cap --rtsp, %i ms', async (afterMs) => {
    await signalAt(afterMs, 'cap', ['--rtsp', '--rtsp-port', '0', ...picture]);
  });

  test.each(moments(8, 1200))('cap out.mp4, %i ms: what was recorded plays', async (afterMs) => {
    const path = join(folder, `${afterMs}.mp4`);
    const { stderr } = await signalAt(afterMs, 'cap', [...picture, path]);
    const frames = Number(/^recorded [\d.]+ s, (\d+) frames/m.exec(stderr)?.[1] ?? 0);
    if (frames === 0) return;
    expect(existsSync(path)).toBe(true);
    const entries = ['-count_frames', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0'];
    expect(Number((await run('ffprobe', ['-v', 'error', ...entries, path])).stdout)).toBe(frames);
  });

  test.each(moments(7, 1000))('cap watch, %i ms', async (afterMs) => {
    const model = ['--provider', 'anthropic', '--base-url', provider.origin, '--every', '20ms'];
    await signalAt(afterMs, 'cap', ['watch', stream.url, ...model]);
  });

  test.each(moments(6, 3000))('the demo with its own display, %i ms', async (afterMs) => {
    await signalAt(afterMs, 'demo', []);
  });
});

test('a second signal does not wait', async () => {
  const mark = new ProcessMark();
  await using cap = startCommand('cap', ['--rtsp', '--rtsp-port', '0', ...picture], { env: mark.env });
  await streamUrl(cap);
  cap.signal('SIGINT');
  cap.signal('SIGTERM');
  expect(await cap.waitForExit(STOP_MS)).toEqual({ code: 130, signal: null });
  await mark.expectNone();
});

test('SIGHUP, as of a terminal that is closed, is a stop like the others', async () => {
  await using cap = startCommand('cap', ['--rtsp', '--rtsp-port', '0', ...picture]);
  await streamUrl(cap);
  cap.signal('SIGHUP');
  expect(await cap.waitForExit(STOP_MS)).toEqual({ code: 0, signal: null });
});

test('Ctrl-C in a terminal, which reaches the whole process group, ends the demo as one of it alone does', async () => {
  const mark = new ProcessMark();
  await using demo = startCommand('demo', [], { env: mark.env });
  await demo.waitForOutput(/Build server status/);
  process.kill(-demo.pid, 'SIGINT');
  expect(await demo.waitForExit(STOP_MS)).toEqual({ code: 0, signal: null });
  expect(demo.stderr).toBe('');
  expect(demo.stdout).toContain('\nreceived ');
  await mark.expectNone();
});

test('SIGKILL of the demo takes its display, its terminal and its reader along', async () => {
  const mark = new ProcessMark();
  await using demo = startCommand('demo', [], { env: mark.env });
  await demo.waitForOutput(/Reading the stream/);
  expect(mark.living().length).toBeGreaterThan(2);
  demo.signal('SIGKILL');
  await demo.waitForExit();
  await mark.expectNone();
});
