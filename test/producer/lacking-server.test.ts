import { afterEach, describe, expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { type CapError, createStreamLogger, type Frame } from '../../src/core/index.js';
import { type CaptureSession, CaptureSession as Session } from '../../src/session/index.js';
import { type DisplayOptions, startDisplay, type TestDisplay } from '../support/display.js';
import { run } from '../support/process.js';

const SIZE = { width: 320, height: 240 };

let display: TestDisplay;

afterEach(() => display.close());

interface Captured extends AsyncDisposable {
  readonly session: CaptureSession;
  readonly sampler: Sampler;
  readonly said: () => string;
}

async function capture(options: DisplayOptions): Promise<Captured> {
  display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height, ...options });
  const said: string[] = [];
  const logger = createStreamLogger({ level: 'warn', stream: { write: (line) => said.push(line) } });
  const session = await Session.open({ source: { kind: 'screen', display: display.name, cursor: false }, logger });
  const server = await session.serveRtsp('/cap', { port: 0 });
  const sampler = new Sampler(server.url('/cap'));
  return {
    session,
    sampler,
    said: () => said.join(''),
    async [Symbol.asyncDispose]() {
      await sampler.close();
      await session.close();
    },
  };
}

const paint = (colour: string) => run('xsetroot', ['-solid', colour], { env: display.env });

/** Resolves with the first frame whose middle has about that colour. */
async function until(sampler: Sampler, rgb: readonly number[]): Promise<Frame> {
  for (let afterSequence = -1, frames = 0; frames < 200; frames++) {
    const frame = await sampler.next({ afterSequence });
    afterSequence = frame.sequence;
    const at = ((SIZE.height / 2) * SIZE.width + SIZE.width / 2) * 3;
    if (rgb.every((value, channel) => Math.abs((frame.data[at + channel] ?? 999) - value) < 12)) return frame;
  }
  throw new Error(`no frame of 200 was ${rgb}`);
}

describe('what an X server lacks costs more, or something in the picture, and no more than that', () => {
  test.each([
    ['DAMAGE', /without DAMAGE every frame is captured whole/],
    ['MIT-SHM', /without shared memory the X server sends each picture/],
  ])('%s', async (extension, words) => {
    await using captured = await capture({ without: [extension] });
    await paint('#c83214');
    await until(captured.sampler, [200, 50, 20]);
    await paint('#1432c8');
    await until(captured.sampler, [20, 50, 200]);
    expect(captured.said()).toMatch(words);
  });

  test('XFIXES', async () => {
    // Xvfb 21.1 without it aborts as soon as a client draws: what is there at the beginning has to do.
    await using captured = await capture({ without: ['XFIXES'] });
    expect(await captured.sampler.next()).toMatchObject(SIZE);
    expect(captured.said()).toMatch(/without XFIXES the cursor is not in the picture; without DAMAGE/);
  });

  test('several at once', async () => {
    await using captured = await capture({ without: ['DAMAGE', 'MIT-SHM', 'Composite'] });
    await paint('#14c832');
    const frame = await until(captured.sampler, [20, 200, 50]);
    expect(frame.metadata?.damage).toBeDefined(); // found by comparing pictures
  });

  test('with all of them nothing is said', async () => {
    await using captured = await capture({});
    expect(captured.said()).toBe('');
  });
});

test('without DAMAGE frames come at the rate that was asked for', async () => {
  await using captured = await capture({ without: ['DAMAGE'] });
  const { session } = captured;
  const [before, startMs] = [session.stats.framesCaptured, performance.now()];
  await expect.poll(() => session.stats.framesCaptured - before).toBeGreaterThan(45);
  const fps = (session.stats.framesCaptured - before) / ((performance.now() - startMs) / 1000);
  expect(fps).toBeLessThan(36);
});

test.each([16, 30])('pixels of %i bits are read', async (depth) => {
  await using captured = await capture({ depth });
  await paint('#c83214');
  await until(captured.sampler, [200, 50, 20]);
});

test.each([[['DAMAGE']], [['DAMAGE', 'MIT-SHM']]])(
  'without %j the end of the X server is a lost source, and no more',
  async (without) => {
    await using captured = await capture({ without });
    await captured.sampler.next();
    const failed = new Promise<CapError>((resolve) => captured.session.on('failed', resolve));
    display.server.signal('SIGKILL');
    expect(await failed).toMatchObject({ code: 'CAP_SOURCE_LOST' });
  },
);
