import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from './support/port.js';
import { closeAllProcesses, type RunningProcess, run, start } from './support/process.js';

const EXAMPLES = resolve(import.meta.dirname, '../examples');
const OCR_TIMEOUT_MS = 60_000;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-examples-'));
});

afterEach(closeAllProcesses);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts an example as its first lines say, but with no display: it takes the test picture. */
function example(name: string, ...args: string[]): RunningProcess {
  return start(process.execPath, [join(EXAMPLES, name), ...args], { cwd: folder, env: { DISPLAY: undefined } });
}

/** Ctrl-C ends every example in good order. */
async function interrupt(child: RunningProcess): Promise<void> {
  child.signal('SIGINT');
  expect(await child.waitForExit(), child.stderr).toEqual({ code: 0, signal: null });
  expect(child.stderr).toBe('');
}

/** The example that the other examples connect to. */
async function stream(): Promise<{ server: RunningProcess; url: string }> {
  const server = example('stream-region.mjs', '0');
  const [url] = await server.waitForOutput(/rtsp:\/\/\S+/);
  return { server, url };
}

test('every example says what it shows and how it is run', () => {
  for (const name of readdirSync(EXAMPLES)) {
    const text = readFileSync(join(EXAMPLES, name), 'utf8');
    expect(text, name).toMatch(/^\/\/ This example shows how to\n\/\/ 1\. .*,\n\/\/ 2\. .*,\n\/\/ 3\. .*\.\n/);
    expect(text, name).toContain(`//   node examples/${name}`);
  }
});

test('stream-region: serves a quarter of the pixels and tells who reads', async () => {
  const { server, url } = await stream();
  await server.waitForOutput(/sent as 640x360/);
  const probe = [
    '-loglevel',
    'error',
    '-rtsp_transport',
    'tcp',
    '-show_entries',
    'stream=width,height',
    '-of',
    'csv=p=0',
  ];
  expect((await run('ffprobe', [...probe, url])).stdout.trim()).toBe('640,360');
  await server.waitForOutput(/127\.0\.0\.1 reads over tcp\n127\.0\.0\.1 left: /);
  await interrupt(server);
});

test('record-and-stream: what was streamed is in the file', async () => {
  const path = join(folder, 'both.mp4');
  const child = example('record-and-stream.mjs', path, '0');
  const [url = ''] = await child.waitForOutput(/rtsp:\/\/\S+/);
  await run('ffmpeg', [
    '-loglevel',
    'error',
    '-rtsp_transport',
    'tcp',
    '-i',
    url,
    '-frames:v',
    '20',
    '-f',
    'null',
    '-',
  ]);
  await interrupt(child);
  const [, recorded] = /(\d+) frames recorded/.exec(child.stdout) ?? [];
  const count = ['-loglevel', 'error', '-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0'];
  expect((await run('ffprobe', [...count, path])).stdout.trim()).toBe(recorded);
  expect(Number(recorded)).toBeGreaterThanOrEqual(20);
});

test('watch-and-act: finds a word of the test picture', async () => {
  const { server, url } = await stream();
  const child = example('watch-and-act.mjs', url, 'cap');
  await child.waitForOutput(/! "cap" is on the screen/, OCR_TIMEOUT_MS);
  await interrupt(child);
  expect(child.stdout).toMatch(/\d+ frames seen, [1-9]\d* answered, \d+ superseded/);
  await interrupt(server);
});

test('write-an-adaptor: saves a picture, and holds back those that look as before', async () => {
  const { server, url } = await stream();
  const child = example('write-an-adaptor.mjs', url, 'snapshots');
  const [, path = ''] = await child.waitForOutput(/saved (\S+\.png), \d+ bytes/);
  const size = ['-loglevel', 'error', '-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0'];
  expect((await run('ffprobe', [...size, join(folder, path)])).stdout.trim()).toBe('png,640,360');
  await child.waitForOutput(/frame \d+ skipped: it looks as before/);
  await interrupt(child);
  await interrupt(server);
});

test('read-metadata: prints each frame’s number, age, source and plan', async () => {
  const { server, url } = await stream();
  const child = example('read-metadata.mjs', url);
  await child.waitForOutput(/frame \d+, \d+\.\d ms old, 1280x720 by p4, changed: (\d+x\d+\+\d+\+\d+ ?)+\n/);
  await interrupt(child);
  await interrupt(server);
});

test('read-metadata: ends with the error’s own exit code when there is no stream', async () => {
  const child = example('read-metadata.mjs', `rtsp://127.0.0.1:${await freePort()}/cap`);
  expect(await child.waitForExit()).toEqual({ code: 10, signal: null });
  expect(child.stderr).toMatch(/^CAP_STREAM_UNAVAILABLE: rtsp:/);
});
