import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { gundamPlan, presetPlan, type ScalePlan, sourcePlan } from '../../src/producer/index.js';
import { serveCapture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { eventually } from '../support/eventually.js';
import { startPainter } from '../support/painter.js';
import { startRawCapture } from '../support/raw-capture.js';
import { RtspPlayer } from '../support/rtsp-player.js';

const SIZE = { width: 1000, height: 700 };
const PLANS: readonly ScalePlan[] = [
  sourcePlan(SIZE),
  presetPlan(SIZE, { name: 'p4', factor: 4 }),
  presetPlan(SIZE, { name: 'p2_56', factor: 2.56 }),
  gundamPlan(SIZE, 6),
];

test.each(PLANS)('$name: what was captured piece by piece equals a full grab, over random drawing', async (plan) => {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await using painter = await startPainter(display);
  const capture = { display: display.name, plan, source: SIZE };
  await using pieces = await startRawCapture(capture);
  await using whole = await startRawCapture({ ...capture, element: 'ximagesrc' });
  for (let seed = 1; seed <= 40; seed++) {
    await painter.random(seed, 1 + (seed % 12));
    // Both go on until they show what is on the display now; a piece that was missed never comes.
    const last = await whole.newest();
    const truth = await whole.until((picture) => picture.sequence > last.sequence + 1);
    const found = await pieces.until((picture) => picture.data.equals(truth.data));
    expect(found.data.equals(truth.data), `after drawing ${seed}`).toBe(true);
  }
});

test('the cursor is drawn where it is, and nowhere else, over random movements', async () => {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await using painter = await startPainter(display);
  const capture = { display: display.name, plan: sourcePlan(SIZE), source: SIZE, cursor: true };
  await using pieces = await startRawCapture(capture);
  for (let seed = 1; seed <= 25; seed++) {
    await painter.pointer(seed, 1 + (seed % 5));
    await painter.random(seed, 2);
    // A capture that begins now has never seen the cursor anywhere else.
    await using whole = await startRawCapture(capture);
    const truth = await whole.newest();
    const found = await pieces.until((picture) => picture.data.equals(truth.data));
    expect(found.data.equals(truth.data), `after movement ${seed}`).toBe(true);
  }
});

/** Resolves when no frame has come for a third of a second. */
async function quiet(captured: () => number): Promise<void> {
  await eventually(async () => {
    const before = captured();
    await setTimeout(333);
    expect(captured()).toBe(before);
  });
}

test('1,000 of 1,000 single characters are in the decoded stream, and in the damage it carries', async () => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
  await using painter = await startPainter(display);
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, cursor: false },
    fps: 120,
  });
  const sampler = new Sampler(capture.url);
  try {
    let { sequence } = await sampler.next();
    // A frame that follows at once would take the place of the one with the damage: those of the beginning go first.
    await quiet(() => capture.session.stats.framesCaptured);
    for (let i = 0; i < 1000; i++) {
      const x = (i * 37) % 620;
      const y = (i * 53) % 460;
      // The cell was white or held another character before.
      await painter.char(x, y, String.fromCharCode(65 + (i % 26)));
      let seen = false;
      for (let frames = 0; frames < 20 && !seen; frames++) {
        const frame = await sampler.next({ afterSequence: sequence });
        sequence = frame.sequence;
        const damaged = frame.metadata?.damage?.some(
          (rect) => rect.x <= x && rect.y <= y && rect.x + rect.width >= x + 10 && rect.y + rect.height >= y + 16,
        );
        seen = damaged === true && darkPixels(frame.data, frame.width, x, y) > 8;
      }
      expect(seen, `character ${i}`).toBe(true);
    }
  } finally {
    await sampler.close();
  }
});

function darkPixels(rgb: Buffer, width: number, x: number, y: number): number {
  let dark = 0;
  for (let row = y; row < y + 16; row++) {
    for (let column = x; column < x + 10; column++) {
      if ((rgb[(row * width + column) * 3] ?? 255) < 128) dark += 1;
    }
  }
  return dark;
}

test('a still screen costs a frame a second, and a joiner still has a picture at once', async () => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, keepAliveMs: 60_000 },
  });
  const before = capture.session.stats.framesCaptured;
  const sampler = new Sampler(capture.url);
  try {
    const frame = await sampler.next();
    expect(frame.width).toBe(640);
    expect(frame.metadata?.damage).toEqual([]);
    // Only what joining asks for was captured: without the request the next frame would be a minute away.
    expect(capture.session.stats.framesCaptured - before).toBeLessThan(5);
  } finally {
    await sampler.close();
  }
});

test('who joins a still screen gets frames at the frame rate, enough for players that look before they show', async () => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 480 });
  await using capture = await serveCapture({
    source: { kind: 'screen', display: display.name, keepAliveMs: 60_000 },
  });
  await using player = await RtspPlayer.overTcp(capture.url);
  await player.waitForUnits(25);
  await quiet(() => capture.session.stats.framesCaptured);
});
