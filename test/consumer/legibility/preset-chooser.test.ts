import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TextLine } from '../../../src/consumer/adaptor.js';
import { type Answer, describe as lookOnce, type Receipt, Watch } from '../../../src/consumer/index.js';
import { PresetChooser, type PresetChooserOptions } from '../../../src/consumer/legibility/preset-chooser.js';
import { FULL_SIZE, presetScaling } from '../../../src/consumer/legibility/scaling.js';
import type { TextReader } from '../../../src/consumer/ocr/page-reader.js';
import { CapError, type Frame, type Logger, silentLogger } from '../../../src/core/index.js';
import { frameOf } from '../../support/frames.js';
import { ManualSource } from '../../support/manual-source.js';
import { ScriptAdaptor } from '../../support/script-adaptor.js';

const SCREEN = { width: 640, height: 480 };
const HALF = presetScaling('half', ({ width, height }) => ({ width: width / 2, height: height / 2 }));
const QUARTER = presetScaling('quarter', ({ width, height }) => ({ width: width / 4, height: height / 4 }));
const ALL = [FULL_SIZE, HALF, QUARTER];
/** Longer than any test. */
const NEVER_MS = 86_400_000;

/** Reads a line of text, whatever it is shown, as well as the test says at that width. */
class ScriptReader implements TextReader {
  /** Widths of the images read. */
  readonly widths: number[] = [];
  /** The narrowest image in which it reads all. */
  readsFrom = 320;
  until: Promise<void> = Promise.resolve();
  closed = false;

  async read(image: Uint8Array): Promise<readonly TextLine[]> {
    const { width = 0 } = await sharp(image).metadata();
    this.widths.push(width);
    await this.until;
    if (this.closed) throw new CapError('CAP_CLOSED', 'the text reader is closed');
    const text = width >= this.readsFrom ? 'all is well' : 'a. 1s vve1l';
    const scale = width / SCREEN.width;
    return [{ text, confidence: 0.9, box: { x: 60 * scale, y: 100 * scale, width: 500 * scale, height: 20 * scale } }];
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

let reader: ScriptReader;
let warnings: string[];
let adaptor: ScriptAdaptor;
let logger: Logger;
const open: AsyncDisposable[] = [];
const held: (() => void)[] = [];

beforeEach(() => {
  reader = new ScriptReader();
  warnings = [];
  adaptor = new ScriptAdaptor();
  logger = { ...silentLogger, warn: (line) => void warnings.push(line) };
});
afterEach(async () => {
  for (const release of held.splice(0)) release();
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

function chooserOf(options: Partial<PresetChooserOptions> = {}): PresetChooser {
  const times = { firstCheckMs: NEVER_MS, restMs: 0, recheckMs: NEVER_MS };
  const chooser = new PresetChooser({ scalings: ALL, reader, logger, ...times, ...options });
  open.push(chooser);
  return chooser;
}

let sequence = 0;
/** Dark in its first rows, as many as the test says. */
function frame(darkRows = 0): Frame {
  const data = Buffer.alloc(SCREEN.width * SCREEN.height * 3, 200);
  data.fill(30, 0, SCREEN.width * 3 * darkRows);
  sequence += 1;
  return frameOf(data, SCREEN, { sequence });
}

/** Holds the reader until it is released. */
function hold(): () => void {
  let release = (): void => {};
  reader.until = new Promise((resolve) => {
    release = resolve;
  });
  held.push(release);
  return release;
}

const choose = async (chooser: PresetChooser, shown: Frame): Promise<string> =>
  (await chooser.choose(shown, adaptor, {})).name;

test('01 the first look waits for the check, and says how legible this very frame is', async () => {
  const source = new ManualSource();
  source.show(frame());
  const answer = await lookOnce(source, adaptor, { presetChooser: chooserOf() });
  expect(answer).toMatchObject({ preset: 'half', images: [{ width: 320, height: 240 }] });
  expect(answer.legibility).toEqual({ share: 1, characters: 9, worst: [], frameNumber: 0 });
  expect(reader.widths[0]).toBe(640);
});

test('02 but no longer than its bound: then all is sent, until the check has ended', async () => {
  const release = hold();
  const chooser = chooserOf({ firstCheckMs: 1 });
  const first = frame();
  expect(await choose(chooser, first)).toBe('source');
  release();
  await expect.poll(() => choose(chooser, frame())).toBe('half');
  const images = [{ width: 320, height: 240, data: Buffer.alloc(0), mediaType: 'image/png' as const }];
  expect(chooser.legibilityOf(adaptor, images)).toMatchObject({ share: 1, frameNumber: first.sequence });
});

test('03 a choice is made at once while a later check is under way, and follows what it finds', async () => {
  const chooser = chooserOf();
  expect(await choose(chooser, frame())).toBe('half');
  const release = hold();
  reader.readsFrom = 160;
  const before = reader.widths.length;
  await expect.poll(() => choose(chooser, frame(240)).then(() => reader.widths.length)).toBe(before + 1);
  expect(await choose(chooser, frame(240))).toBe('half');
  release();
  await expect.poll(() => choose(chooser, frame(240))).toBe('quarter');
  reader.readsFrom = 640;
  await expect.poll(() => choose(chooser, frame(480))).toBe('source');
});

test('04 what changes little is not checked before its time', async () => {
  const chooser = chooserOf();
  await choose(chooser, frame());
  const read = reader.widths.length;
  for (const rows of [4, 8, 16, 32]) await choose(chooser, frame(rows));
  await chooser.close();
  expect(reader.widths).toHaveLength(read);
});

test('05 but is then, where anything has changed at all', async () => {
  const chooser = chooserOf({ recheckMs: 0 });
  await choose(chooser, frame());
  const read = reader.widths.length;
  for (let looks = 0; looks < 10; looks += 1) await choose(chooser, frame());
  expect(reader.widths).toHaveLength(read);
  await expect.poll(() => choose(chooser, frame(16)).then(() => reader.widths.length)).toBeGreaterThan(read);
});

test('06 the reader rests between two checks, however much changes', async () => {
  const chooser = chooserOf({ restMs: NEVER_MS });
  await choose(chooser, frame());
  const read = reader.widths.length;
  for (const rows of [0, 480, 0, 480]) expect(await choose(chooser, frame(rows))).toBe('half');
  await chooser.close();
  expect(reader.widths).toHaveLength(read);
});

test('07 a reader that fails is told once, and all is sent', async () => {
  await reader.close();
  const chooser = chooserOf();
  await expect
    .poll(async () => {
      expect(await choose(chooser, frame())).toBe('source');
      return reader.widths.length;
    })
    .toBe(4);
  expect(warnings).toEqual(['legibility is not known: the text reader is closed']);
});

test('08 what is legible at no size is told once, and sent at the largest', async () => {
  adaptor.imageCost = ({ width, height }) => {
    const seen = { width: Math.min(400, width), height: Math.min(300, height) };
    return { tokens: seen.width, seen };
  };
  reader.readsFrom = 500;
  const chooser = chooserOf();
  expect(await choose(chooser, frame())).toMatch(/source|half/);
  const read = reader.widths.length;
  await expect.poll(() => choose(chooser, frame(480)).then(() => reader.widths.length)).toBeGreaterThan(read);
  expect(warnings).toEqual([
    expect.stringMatching(/^for script\/script-1 no size will do: at most \d+ % of the text is legible at /),
  ]);
});

test('09 one size alone is measured beside the requests, and what is lost is told', async () => {
  const release = hold();
  const source = new ManualSource();
  source.show(frame());
  const presetChooser = chooserOf({ scalings: [QUARTER], firstCheckMs: 0 });
  const watch = new Watch(source, adaptor, { everyMs: 0, gate: false, presetChooser });
  open.push(watch);
  const answers: [Answer, Receipt][] = [];
  watch.on('answered', (answer, receipt) => void answers.push([answer, receipt]));
  await expect.poll(() => answers.length).toBe(1);
  expect(answers[0]?.[1]).toMatchObject({ preset: 'quarter', images: [{ width: 160, height: 120 }] });
  expect(answers[0]?.[1]).not.toHaveProperty('legibility');
  release();
  await expect.poll(() => warnings).toEqual([expect.stringMatching(/^\d\d % of the text is legible at quarter$/)]);
  source.show(frame());
  await expect.poll(() => answers.length).toBe(2);
  const [answer, receipt] = answers[1] as [Answer, Receipt];
  expect(receipt.legibility).toEqual(answer.legibility);
  expect(receipt).toMatchObject({ frameNumber: 1, legibility: { frameNumber: 0, characters: 9 } });
  expect(receipt.legibility?.share).toBeLessThan(0.95);
  expect(receipt.legibility?.worst).toMatchObject([{ region: { x: 60, y: 100, width: 500, height: 20 } }]);
});

test('10 a watch that is closed while it waits for the check ends at once', async () => {
  hold();
  const source = new ManualSource();
  source.show(frame());
  const watch = new Watch(source, adaptor, { everyMs: 0, gate: false, presetChooser: chooserOf() });
  open.push(watch);
  await expect.poll(() => reader.widths.length).toBe(1);
  await watch.close();
  expect(adaptor.requests).toEqual([]);
  expect(watch.counts()).toMatchObject({ aborted: 1, answered: 0, pending: 0 });
});

test('11 close closes the reader, and waits for the check', async () => {
  const release = hold();
  const chooser = chooserOf({ firstCheckMs: 1 });
  await choose(chooser, frame());
  const closing = chooser.close();
  expect(reader.closed).toBe(true);
  release();
  await closing;
  expect(warnings).toEqual([]);
  expect(await choose(chooser, frame())).toBe('source');
});

test('12 options that cannot be are refused', () => {
  for (const options of [{ atLeast: 0 }, { atLeast: 1.01 }, { scalings: [] }, { restMs: -1 }]) {
    expect(() => new PresetChooser({ scalings: ALL, reader, ...options })).toThrow(
      expect.objectContaining({ code: 'CAP_USAGE' }),
    );
  }
});
