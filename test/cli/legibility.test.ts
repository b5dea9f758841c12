import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildCommands, ProcessMark, runCap, startCap, startStream } from '../support/cap.js';
import { cloudArguments, FAKE_CLOUDS, type FakeCloud } from '../support/fake-provider/clouds.js';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import type { RunningProcess } from '../support/process.js';

const SIZE = { width: 1280, height: 720 };
const anthropic = FAKE_CLOUDS.find(({ name }) => name === 'anthropic') as FakeCloud;
const key = { [anthropic.keyVariable]: FAKE_KEY };

let provider: FakeProvider;
let stream: RunningProcess;
let url: string;

beforeAll(buildCommands);
beforeEach(async () => {
  provider = await FakeProvider.start();
  ({ cap: stream, url } = await startStream('--source', 'test://text', '--size', `${SIZE.width}x${SIZE.height}`));
});
afterEach(async () => {
  await stream.close();
  await provider.close();
});

const options = (...more: string[]): string[] => [...cloudArguments(anthropic, provider.origin), ...more];

test('describe --scale-preset auto sends the cheapest size at which the text is legible, and says how legible it is', async () => {
  const mark = new ProcessMark();
  const args = ['describe', url, ...options('--scale-preset', 'auto', '--json')];
  await using look = startCap(args, { env: { ...key, ...mark.env } });
  expect(await look.waitForExit(120_000)).toEqual({ code: 0, signal: null });
  expect(look.stderr).toBe('');
  const { preset, legibility, images, frameNumber } = JSON.parse(look.stdout);
  expect(preset).toMatch(/^p\d+(_\d+)?$/);
  expect(legibility).toMatchObject({ frameNumber, characters: expect.any(Number), worst: expect.any(Array) });
  expect(legibility.share).toBeGreaterThanOrEqual(0.95);
  expect(legibility.characters).toBeGreaterThan(100);
  expect(images).toHaveLength(1);
  expect(images[0].width).toBeLessThan(SIZE.width);
  expect(provider.requests[0]?.images).toMatchObject([{ width: images[0].width, height: images[0].height }]);
  await mark.expectNone();
}, 180_000);

test('watch sends at the preset that it is told, and its receipts say how legible that is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cap-preset-'));
  try {
    const file = join(folder, 'tiny.json');
    await writeFile(file, JSON.stringify({ name: 'tiny', factor: 100 }));
    const args = [
      'watch',
      url,
      ...options('--scale-preset', file, '--legibility', '0.9', '--every', '100ms', '--json'),
    ];
    await using watch = startCap(args, { env: key });
    await watch.waitForOutput(/^.*"legibility":.*\n/m, 120_000);
    watch.signal('SIGINT');
    expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
    const answers = watch.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const { receipt, images } of answers) {
      expect(receipt.preset).toBe('tiny');
      expect(images[0].width).toBeLessThanOrEqual(SIZE.width / 10);
    }
    const { receipt } = answers.at(-1);
    expect(receipt.legibility.frameNumber).toBeLessThanOrEqual(receipt.frameNumber);
    expect(receipt.legibility.share).toBeLessThan(0.9);
    expect(watch.stderr).toMatch(/^warn: \d+ % of the text is legible at tiny\n/);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 180_000);

test('watch --scale-preset auto says in each receipt at which preset the picture went out, and how legible', async () => {
  const args = ['watch', url, ...options('--scale-preset', 'auto', '--every', '100ms', '--json')];
  await using watch = startCap(args, { env: key });
  // The first pictures may go out whole, before the check has ended.
  const [line] = await watch.waitForOutput(/^.*"preset":"p\d.*\n/m, 120_000);
  watch.signal('SIGINT');
  expect(await watch.waitForExit()).toEqual({ code: 0, signal: null });
  const { images, receipt } = JSON.parse(line);
  expect(images[0].width).toBeLessThan(SIZE.width);
  expect(receipt.preset).toMatch(/^p\d+(_\d+)?$/);
  expect(receipt.legibility.share).toBeGreaterThanOrEqual(0.95);
  expect(receipt.legibility.frameNumber).toBeLessThanOrEqual(receipt.frameNumber);
  expect(watch.stderr).toBe('');
}, 180_000);

test.each([
  [
    ['watch', 'rtsp://127.0.0.1:1/cap', '--legibility', '95'],
    /a share above 0 and up to 1, such as 0.95 for --legibility/,
  ],
  [['describe', 'rtsp://127.0.0.1:1/cap', '--legibility', '0'], /a share above 0/],
  [['watch', 'rtsp://127.0.0.1:1/cap', '--scale-preset', 'p5'], /unknown scale preset "p5"/],
  [['--rtsp', '--source', 'test', '--scale-preset', 'auto'], /add --scale-preset auto to cap watch or cap describe/],
])('%j is one line', async (args, message) => {
  const { code, stderr } = await runCap(args);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});
