import { expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { gundamPlan, presetPlan, type ScalePlan, sourcePlan } from '../../src/producer/index.js';
import { serveCapture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { startPainter } from '../support/painter.js';
import { startRawCapture } from '../support/raw-capture.js';
import { startTestDesktop } from '../support/test-desktop.js';

const SIZE = { width: 1000, height: 700 };
const PLANS: readonly ScalePlan[] = [
  sourcePlan(SIZE),
  presetPlan(SIZE, { name: 'p4', factor: 4 }),
  presetPlan(SIZE, { name: 'p2_56', factor: 2.56 }),
  gundamPlan(SIZE, 6),
];

test.each(PLANS)('$name: by comparing pictures, what is made piece by piece equals the whole', async (plan) => {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await using painter = await startPainter(display);
  const capture = { display: display.name, plan, source: SIZE, element: 'ximagesrc' } as const;
  await using pieces = await startRawCapture({ ...capture, damage: 'pictures' });
  await using whole = await startRawCapture(capture);
  for (let seed = 1; seed <= 25; seed++) {
    await painter.random(seed, 1 + (seed % 12));
    const last = await whole.newest();
    const truth = await whole.until((picture) => picture.sequence > last.sequence + 1);
    const found = await pieces.until((picture) => picture.data.equals(truth.data));
    expect(found.data.equals(truth.data), `after drawing ${seed}`).toBe(true);
  }
});

test('what changed on a screen whose server does not tell is in the metadata, in whole macroblocks', async () => {
  await using display = await startDisplay({ widthPx: 328, heightPx: 248, without: ['DAMAGE'] });
  await using painter = await startPainter(display);
  await using capture = await serveCapture({ source: { kind: 'screen', display: display.name, cursor: false } });
  const sampler = new Sampler(capture.url);
  try {
    let { sequence } = await sampler.next();
    for (const [x, y, damage] of [
      [3, 0, { x: 0, y: 0, width: 16, height: 16 }],
      [43, 16, { x: 32, y: 16, width: 32, height: 16 }],
      [318, 232, { x: 304, y: 224, width: 24, height: 24 }],
    ] as const) {
      await painter.char(x, y, 'M');
      for (;;) {
        const { metadata, sequence: next } = await sampler.next({ afterSequence: sequence });
        sequence = next;
        // Nothing at all changes between two ticks of a still screen.
        if (metadata?.damage?.length === 0) continue;
        expect(metadata?.damage).toEqual([damage]);
        break;
      }
    }
  } finally {
    await sampler.close();
  }
});

test('where a compositor does not tell, its pictures are compared', async () => {
  await using desktop = await startTestDesktop();
  await desktop.tell('tells-damage 0');
  desktop.enter();
  const source = { kind: 'screen', displayServer: 'portal', keepAliveMs: 60_000 } as const;
  await using capture = await serveCapture({ source });
  const sampler = new Sampler(capture.url);
  const damages: unknown[] = [];
  try {
    let { sequence } = await sampler.next();
    for (const x of [48, 96]) {
      await desktop.tell(`rect ${x} 32 20 10 ffffff`);
      for (let seen = false; !seen; ) {
        const frame = await sampler.next({ afterSequence: sequence });
        sequence = frame.sequence;
        seen = frame.metadata?.damage?.length !== 0; // else made for a key frame
        if (seen) damages.push(frame.metadata?.damage);
      }
    }
  } finally {
    await sampler.close();
  }
  expect(damages.at(-1)).toEqual([{ x: 96, y: 32, width: 32, height: 16 }]);
});
