import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { Frame } from '../../src/core/index.js';
import { CANARY_TEXTS, type CanaryPage, canaryPage } from '../support/canary-page.js';
import { buildCommands, runCap, startCap, streamUrl } from '../support/cap.js';
import { startDisplay } from '../support/display.js';
import { eventually } from '../support/eventually.js';
import type { RunningProcess } from '../support/process.js';
import { readProcessUsage } from '../support/process-usage.js';
import { showPicture } from '../support/screen.js';

const SIZE = [640, 768] as const;
const REDACT = ['--redact-text', 'keys,cards,emails'];
const CAPTURE = ['--rtsp', '--rtsp-port', '0', '--always-on', '--no-cursor', '--keep-alive', '100ms', ...REDACT];
/** Reading is the machine's work, and others are at it. */
const PATIENCE = { timeout: 120_000 };

beforeAll(buildCommands);

/** The process that reads text for a command. */
function readerOf(cap: RunningProcess): number | undefined {
  return readProcessUsage(cap.pid).pids.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('reader-process'),
  );
}

/** Takes frames until one is as wanted; `each` sees all of them. */
async function until(sampler: Sampler, wanted: (frame: Frame) => boolean, each: (frame: Frame) => void): Promise<void> {
  for (let sequence = sampler.framesSeen - 1; ; ) {
    const frame = await sampler.next({ afterSequence: sequence });
    sequence = frame.sequence;
    each(frame);
    if (wanted(frame)) return;
  }
}

test('strict: no frame shows a secret, also when the reader stops, or dies while it reads', PATIENCE, async () => {
  await using display = await startDisplay({ widthPx: SIZE[0], heightPx: SIZE[1] });
  const [first, second, third] = await threePages();
  await using window = await showPicture(display, first);
  await using cap = startCap([...CAPTURE, '--redact-strict'], { env: display.env });
  await using sampler = new Sampler(await streamUrl(cap));
  const hidesAll = (frame: Frame): void =>
    expect([first, second, third].map((page) => page.showsSecret(frame))).toEqual([false, false, false]);
  await until(sampler, first.showsRest, hidesAll);

  // What it has read stays to be seen, and what has changed does not come.
  const reader = await eventually(() => readerOf(cap) ?? Promise.reject(new Error('nothing reads')));
  process.kill(reader, 'SIGSTOP');
  await window.show(second);
  let frames = 0;
  await until(
    sampler,
    () => ++frames > 20,
    (frame) => {
      hidesAll(frame);
      expect([first, second].map((page) => page.showsRest(frame))).toEqual([true, false]);
    },
  );
  process.kill(reader, 'SIGKILL');
  await until(sampler, second.showsRest, hidesAll);
  await cap.waitForOutput(/what changes is hidden, as its text cannot be read/, 20_000, 2);
  await cap.waitForOutput(/text is read again/, 20_000, 2);
  await window.show(third);
  await until(sampler, third.showsRest, hidesAll);
  expect(readerOf(cap)).not.toBe(reader);
  await cap.close();
  for (const text of CANARY_TEXTS) expect(`${cap.stdout}${cap.stderr}`).not.toContain(text);
});

test(
  'not strict: a secret is masked once it has been read; when nothing reads, all that changes',
  PATIENCE,
  async () => {
    await using display = await startDisplay({ widthPx: SIZE[0], heightPx: SIZE[1] });
    const [first, second] = await threePages();
    await using window = await showPicture(display, first);
    await using cap = startCap(CAPTURE, { env: display.env });
    await using sampler = new Sampler(await streamUrl(cap));
    const isMasked = (page: CanaryPage) => (frame: Frame) => page.showsRest(frame) && !page.showsSecret(frame);
    await until(sampler, isMasked(first), () => {});
    let frames = 0;
    await until(
      sampler,
      () => ++frames > 20,
      (frame) => expect(isMasked(first)(frame)).toBe(true),
    );

    const reader = await eventually(() => readerOf(cap) ?? Promise.reject(new Error('nothing reads')));
    process.kill(reader, 'SIGSTOP');
    await window.show(second);
    // Shown at once, and hidden when nobody has read it in time.
    await until(sampler, second.showsRest, () => {});
    await until(
      sampler,
      (frame) => !second.showsRest(frame) && !second.showsSecret(frame),
      () => {},
    );
    process.kill(reader, 'SIGCONT');
    await until(sampler, isMasked(second), () => {});
  },
);

test.each([
  [['--redact-text', 'passwords'], 'expected keys, cards, emails or /expression/ for the text to redact'],
  [['--redact-text', '/a(?=b)/'], '/a(?=b)/ is no expression'],
  [['--redact-strict'], '--redact-strict is for --redact-text'],
  [['--redact', '10,10'], 'expected x,y,w,h such as 100,50,1280,720 for --redact'],
])('%s is refused', async (args, message) => {
  const { code, stderr } = await runCap(['--rtsp', '--source', 'test', ...args]);
  expect([code, stderr.split('\n').length]).toEqual([2, 2]);
  expect(stderr).toContain(message);
});

async function threePages(): Promise<[CanaryPage, CanaryPage, CanaryPage]> {
  return [await canaryPage(...SIZE, 0), await canaryPage(...SIZE, 1), await canaryPage(...SIZE, 2)];
}
