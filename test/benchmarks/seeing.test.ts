import { expect, test } from 'vitest';
import type { Change } from '../../benchmarks/seeing/desktop.js';
import { cut, grow } from '../../benchmarks/seeing/pixels.js';
import { firstThatShows, shows, WITHIN_MS } from '../../benchmarks/seeing/recall.js';
import { MODEL, type Sent } from '../../benchmarks/seeing/recording-adaptor.js';
import { intoDocument } from '../../benchmarks/seeing/report.js';
import { DeltaTrack } from '../../src/consumer/deltas/delta-track.js';
import { scaleView } from '../../src/consumer/image-encoding.js';
import { fitFrame, profileOf } from '../../src/consumer/index.js';
import type { Frame, Rect, Size } from '../../src/core/index.js';
import { frameOf, svgFrame, textPage } from '../support/frames.js';

const SCREEN = { width: 1920, height: 1080 };
const LINE: Rect = { x: 40, y: 480, width: 900, height: 30 };
const target = {
  limits: profileOf('anthropic', MODEL).limits,
  imageCost: (size: Size) => profileOf('anthropic', MODEL).formula(size, 'high'),
};

const page = (line: string): string =>
  textPage({ ...SCREEN }).svg.replace(
    '</svg>',
    `<rect x="0" y="480" width="1920" height="30" fill="white"/><text x="40" y="502" font-size="18" fill="#111">${line}</text></svg>`,
  );

async function pages(): Promise<{ before: Frame; after: Frame; change: Change }> {
  const before = await svgFrame(page('Order 4821 was sent to Oslo'));
  const after = await svgFrame(page('Ticket 1377 failed in Lima'));
  const around = grow(LINE, 32, SCREEN);
  return {
    before,
    after,
    change: {
      scene: 'a',
      atMs: 1000,
      rect: LINE,
      around,
      before: cut(before, around),
      after: cut(after, around),
    },
  };
}

const scaled = async (frame: Frame, width: number, height: number): Promise<Frame> => {
  const { data } = await scaleView(frame, { width, height });
  return frameOf(data, { width, height }, { sequence: frame.sequence });
};
const sentAt = (atMs: number, rest: Pick<Sent, 'images' | 'delta'>): Sent => ({
  atMs,
  tokens: 1,
  textTokens: 1,
  ...rest,
});

test('01 an image shows a change if its pixels do, at each scale', async () => {
  const { before, after, change } = await pages();
  for (const [width, height] of [
    [1920, 1080],
    [960, 540],
    [600, 338],
  ] as const) {
    for (const [frame, expected] of [
      [before, false],
      [after, true],
    ] as const) {
      const { images } = await fitFrame(await scaled(frame, width, height), target);
      expect(await shows(sentAt(1500, { images }), change, SCREEN), `${width}`).toBe(expected);
    }
  }
});

test('02 a crop shows what lies in it, and nothing else', async () => {
  const { before, after, change } = await pages();
  const track = new DeltaTrack();
  const [first, second] = [await scaled(before, 960, 540), { ...(await scaled(after, 960, 540)), sequence: 1 }];
  track.answered(first, undefined, target, { prompt: 'Now?', answer: 'A page.' });
  const delta = await track.deltaOf(second, target, {});
  if (!delta) throw new Error('no parts');
  const sent = sentAt(1500, { images: delta.images, delta });
  expect(await shows(sent, change, SCREEN)).toBe(true);
  const [other] = delta.regions.filter(({ y }) => y > 300);
  expect(other).toBeUndefined();
  const unseen = sentAt(1500, {
    images: delta.images,
    delta: { ...delta, regions: [{ x: 0, y: 0, width: 112, height: 112 }] },
  });
  expect(await shows(unseen, change, SCREEN)).toBe(false);
});

test('03 what leaves too early or too late does not count', async () => {
  const { after, change } = await pages();
  const { images } = await fitFrame(after, target);
  const at = (atMs: number): Sent => sentAt(atMs, { images });
  const inTime = at(change.atMs + WITHIN_MS);
  expect(await firstThatShows(change, [at(change.atMs - 1), at(change.atMs + WITHIN_MS + 1)], SCREEN)).toBeUndefined();
  expect(await firstThatShows(change, [at(0), inTime], SCREEN)).toBe(inTime);
});

test('04 figures take the place of figures in the documentation', () => {
  const [from, to] = ['<!-- figures: npm run bench:seeing -- --docs -->', '<!-- end of figures -->'];
  expect(intoDocument(`a\n${from}\nold\n${to}\nb`, 'new')).toBe(`a\n${from}\n\nnew\n\n${to}\nb`);
  expect(() => intoDocument(`a\n${to}\n${from}`, 'new')).toThrow('lacks its markers');
});
