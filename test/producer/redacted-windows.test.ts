import { expect, test } from 'vitest';
import type { Rect } from '../../src/core/index.js';
import { type NativePicture, Redactor } from '../../src/native/index.js';
import { sourcePlan } from '../../src/producer/index.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import { type RunningProcess, run, start } from '../support/process.js';
import { type RawCapture, startRawCapture } from '../support/raw-capture.js';
import { startWindowManager } from '../support/window-manager.js';

const SIZE = { width: 800, height: 600 };
/** No other thing on the screen is of that colour, whatever is drawn over it in part. */
const SECRET = [255, 0, 255];

/** A window that is all of that colour. */
async function showSecret(display: TestDisplay, title: string): Promise<{ process: RunningProcess; id: string }> {
  const args = ['-T', title, '-bg', '#ff00ff', '-fg', '#ff00ff', '-cr', '#ff00ff', '+sb', '-geometry', '20x8+40+40'];
  const process = start('xterm', [...args, '-e', 'sleep', 'infinity'], { env: display.env });
  const { stdout } = await run('xdotool', ['search', '--sync', '--onlyvisible', '--name', title], { env: display.env });
  return { process, id: stdout.trim().split('\n').at(-1) ?? '' };
}

const isSecretAt = ({ data }: NativePicture, at: number): boolean =>
  SECRET.every((value, channel) => Math.abs((data[at + channel] ?? 0) - value) < 60);
const showsSecret = (picture: NativePicture): boolean => {
  for (let at = 0; at < picture.data.length; at += 3) if (isSecretAt(picture, at)) return true;
  return false;
};

/** Whether a place that was not masked is not black: the root window is grey. */
const showsPlace =
  ({ x, y }: Pick<Rect, 'x' | 'y'>) =>
  ({ data }: NativePicture): boolean =>
    (data[(y * SIZE.width + x) * 3] ?? 0) > 60;

async function withMasks(
  display: TestDisplay,
  patterns: readonly string[],
  work: (frames: RawCapture, redactor: Redactor) => Promise<void>,
): Promise<void> {
  const windows = { display: display.name, x: 0, y: 0, patterns };
  const redactors: Redactor[] = [];
  await using frames = await startRawCapture({
    ...{ display: display.name, plan: sourcePlan(SIZE), source: SIZE, filter: 'capredact name=redact' },
    onBuilt: (pipeline) =>
      redactors.push(
        new Redactor(pipeline, 'redact', { regions: [], windows, reads: false, strict: false, shownUnreadMs: 0 }),
      ),
  });
  const [redactor] = redactors;
  if (!redactor) throw new Error('there is no redactor');
  try {
    await work(frames, redactor);
  } finally {
    await redactor.close();
  }
}

/** Looks at frames while something is done, and at some after it; none may show the secret. */
async function hiddenDuring(frames: RawCapture, action: () => Promise<void>): Promise<void> {
  let done = false;
  const acting = action().finally(() => {
    done = true;
  });
  let last = -1;
  for (let after = 0; after < 3; ) {
    const picture = await frames.until(({ sequence }) => sequence > last, 20_000);
    last = picture.sequence;
    expect(showsSecret(picture)).toBe(false);
    if (done) after += 1;
  }
  await acting;
}

test.each([
  ['without a window manager', false],
  ['in the frame of a window manager', true],
])('a window is masked wherever it goes, %s', async (_, managed) => {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await run('xsetroot', ['-solid', '#808080'], { env: display.env });
  await using _manager = managed ? await startWindowManager(display) : undefined;
  await withMasks(display, ['vault OF ann'], async (frames) => {
    let secret: { process: RunningProcess; id: string } | undefined;
    await hiddenDuring(frames, async () => {
      secret = await showSecret(display, 'The Vault of Ann');
    });
    if (!secret) throw new Error('there is no window');
    const { id, process } = secret;
    try {
      await hiddenDuring(frames, async () => {
        for (let step = 0; step < 30; step++) {
          await run('xdotool', ['windowmove', id, `${(step * 37) % 500}`, `${(step * 53) % 400}`], {
            env: display.env,
          });
        }
        await run('xdotool', ['windowmove', '--sync', id, '400', '300'], { env: display.env });
      });
      // Where it was can be seen again.
      const picture = await frames.until(showsPlace({ x: 60, y: 60 }), 20_000);
      expect(showsPlace({ x: 60, y: 60 })(picture)).toBe(true);
      expect(showsPlace({ x: 450, y: 350 })(picture)).toBe(false);
      await hiddenDuring(frames, async () => {
        await run('xdotool', ['windowsize', '--sync', id, '300', '200'], { env: display.env });
      });
    } finally {
      await process.close();
    }
    expect(showsPlace({ x: 450, y: 350 })(await frames.until(showsPlace({ x: 450, y: 350 }), 20_000))).toBe(true);
  });
});

test('a window is known by its class, or by a title that it takes later, and others are left alone', async () => {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await run('xsetroot', ['-solid', '#808080'], { env: display.env });
  const { process, id } = await showSecret(display, 'Notes');
  try {
    await withMasks(display, ['1password'], async (frames) => {
      expect(showsSecret(await frames.until(showsSecret, 20_000))).toBe(true);
      await run('xdotool', ['set_window', '--name', '1Password', id], { env: display.env });
      await run('xdotool', ['windowmove', id, '100', '100'], { env: display.env });
      const picture = await frames.until((frame) => !showsSecret(frame), 20_000);
      expect(showsSecret(picture)).toBe(false);
    });
    await withMasks(display, ['xterm'], async (frames) => expect(showsSecret(await frames.newest())).toBe(false));
  } finally {
    await process.close();
  }
});

test('a display that cannot be asked where its windows are is masked whole', async () => {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await using other = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height, without: ['DAMAGE'] });
  await run('xsetroot', ['-solid', '#808080'], { env: display.env });
  const windows = { display: other.name, x: 0, y: 0, patterns: ['vault'] };
  await using frames = await startRawCapture({
    ...{ display: display.name, plan: sourcePlan(SIZE), source: SIZE, filter: 'capredact name=redact' },
    onBuilt: (pipeline) =>
      new Redactor(pipeline, 'redact', { regions: [], windows, reads: false, strict: false, shownUnreadMs: 0 }),
  });
  expect((await frames.newest()).data.every((byte) => byte === 0)).toBe(true);
});
