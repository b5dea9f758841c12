import { expect, test } from 'vitest';
import type { Rect } from '../../src/core/index.js';
import { type NativePicture, type NativeRedactionOptions, Redactor } from '../../src/native/index.js';
import { sourcePlan, type UnreadPicture } from '../../src/producer/index.js';
import { startDisplay, type TestDisplay } from '../support/display.js';
import { type Painter, startPainter } from '../support/painter.js';
import { type RawCapture, startRawCapture } from '../support/raw-capture.js';

const SIZE = { width: 320, height: 320 };
const WHOLE: Rect = { x: 0, y: 0, ...SIZE };
const STRICT = {
  regions: [],
  windows: { display: '', x: 0, y: 0, patterns: [] },
  reads: true,
  strict: true,
  shownUnreadMs: 0,
};
const LATE = { ...STRICT, strict: false, shownUnreadMs: 600_000 };

/** A display that shows white, captured by a redactor whose reader is the test. */
interface Reading {
  readonly display: TestDisplay;
  readonly painter: Painter;
  readonly frames: RawCapture;
  readonly redactor: Redactor;
  /** What is to be read next, once it reaches to that row: what is drawn may be captured in two frames. */
  next(row?: number): Promise<UnreadPicture>;
  /** A picture in which that holds. */
  shows(what: (picture: NativePicture) => boolean): Promise<void>;
}

async function reading(options: NativeRedactionOptions, run: (reading: Reading) => Promise<void>): Promise<void> {
  await using display = await startDisplay({ widthPx: SIZE.width, heightPx: SIZE.height });
  await using painter = await startPainter(display);
  const redactors: Redactor[] = [];
  await using frames = await startRawCapture({
    ...{ display: display.name, plan: sourcePlan(SIZE), source: SIZE, filter: 'capredact name=redact' },
    onBuilt: (pipeline) => redactors.push(new Redactor(pipeline, 'redact', options)),
  });
  await frames.newest();
  const [redactor] = redactors;
  if (!redactor) throw new Error('there is no redactor');
  const shows = async (what: (picture: NativePicture) => boolean): Promise<void> => {
    expect(what(await frames.until(what, 20_000))).toBe(true);
  };
  const next = async (row = 0): Promise<UnreadPicture> => {
    let picture: UnreadPicture | undefined;
    const reaches = (): boolean => {
      picture = redactor.take();
      if (picture && picture.y + picture.height > row) return true;
      if (picture) redactor.settle([]);
      return false;
    };
    await expect.poll(reaches).toBe(true);
    return picture as UnreadPicture;
  };
  try {
    await run({ display, painter, frames, redactor, next, shows });
  } finally {
    await redactor.close();
  }
}

const lumaAt = ({ data }: NativePicture, x: number, y: number): number => data[(y * SIZE.width + x) * 3] ?? -1;

/** Whether a part of the picture is black, and nothing else in it. */
const isBlack =
  ({ x, y, width, height }: Rect) =>
  (picture: NativePicture): boolean => {
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++) if (lumaAt(picture, column, row) !== 0) return false;
    }
    return true;
  };
const isWhiteAt = (x: number, y: number) => (picture: NativePicture) => lumaAt(picture, x, y) > 200;
/** Where `painter.char` draws. */
const hasCharacterAt = (x: number, y: number) => (picture: NativePicture) => {
  let dark = 0;
  for (let row = y; row < y + 16; row++) {
    for (let column = x; column < x + 10; column++) if (lumaAt(picture, column, row) < 128) dark += 1;
  }
  return dark > 8;
};

/** Reads, and finds nothing, until nothing is left to read of a picture that shows that. */
async function readUntil({ redactor, frames }: Reading, what: (picture: NativePicture) => boolean): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    if (redactor.take()) redactor.settle([]);
    return what(await frames.newest()) && redactor.stats.unreadPixels === 0;
  };
  await expect.poll(isDone).toBe(true);
}

test('strict: what changes is shown only once it has been read, and not where something matched', () =>
  reading(STRICT, async (reader) => {
    const { painter, frames, redactor, next, shows } = reader;
    await painter.char(40, 40, 'A');
    expect(isBlack(WHOLE)(await frames.newest())).toBe(true);
    const first = await next();
    expect([first.x, first.width, first.luma.length]).toEqual([0, SIZE.width, first.width * first.height]);
    expect(redactor.take()).toBeUndefined();
    redactor.settle([{ x: 200, y: 40, width: 41, height: 20 }]);
    await readUntil(reader, hasCharacterAt(40, 40));
    await shows(isBlack({ x: 200, y: 40, width: 48, height: 24 }));
    await shows(isWhiteAt(190, 50));

    // Another letter: the old one stays.
    await painter.char(40, 120, 'B');
    const unread = await next(136);
    const held = await frames.newest();
    expect(hasCharacterAt(40, 120)(held)).toBe(false);
    expect(hasCharacterAt(40, 40)(held)).toBe(true);
    // A line's height above and below is read with it.
    expect(unread.y).toBeLessThanOrEqual(120 - 60);
    expect(unread.y + unread.height).toBeGreaterThanOrEqual(136 + 60);
    // The mask above did not change, and was not found again: it stays.
    redactor.settle([]);
    await readUntil(reader, hasCharacterAt(40, 120));
    await shows(isBlack({ x: 200, y: 40, width: 48, height: 24 }));

    // What is under it changes and is read again: it goes.
    await painter.char(200, 40, 'C');
    await painter.char(210, 40, 'D');
    await readUntil(reader, hasCharacterAt(200, 40));
    await shows(isBlack({ x: 224, y: 40, width: 24, height: 24 }));
  }));

test('strict: what changes while it is read is not shown for having been read', () =>
  reading(STRICT, async (reader) => {
    const { painter, redactor, next, frames } = reader;
    await readUntil(reader, isWhiteAt(45, 45));
    await painter.char(40, 40, 'A');
    await next();
    await painter.char(40, 40, 'B');
    // It has been captured when this has been.
    await painter.char(40, 280, 'Z');
    await expect.poll(() => redactor.stats.unreadPixels).toBeGreaterThan(16 * 16 + 64);
    redactor.settle([]);
    await next();
    expect(hasCharacterAt(40, 40)(await frames.newest())).toBe(false);
  }));

test('strict: while nothing can be read nothing new is shown, and what was read stays', () =>
  reading(STRICT, async (reader) => {
    const { painter, redactor, next, frames } = reader;
    await readUntil(reader, isWhiteAt(45, 45));
    await painter.char(40, 40, 'A');
    for (let failures = 0; failures < 3; failures++) {
      await next();
      redactor.fail();
    }
    const picture = await frames.newest();
    expect(isWhiteAt(45, 45)(picture) && !hasCharacterAt(40, 40)(picture)).toBe(true);
    await readUntil(reader, hasCharacterAt(40, 40));
  }));

test('not strict: what changes is shown at once, and masked once it has been read', () =>
  reading(LATE, async (reader) => {
    const { painter, redactor, next, shows } = reader;
    await shows(isWhiteAt(45, 45));
    await readUntil(reader, isWhiteAt(45, 45));
    await painter.char(40, 40, 'A');
    await shows(hasCharacterAt(40, 40));
    await next();
    redactor.settle([{ x: 40, y: 40, width: 16, height: 16 }]);
    await shows(isBlack({ x: 40, y: 40, width: 16, height: 16 }));
    // It changes, and stays masked until that has been read.
    await painter.char(40, 40, 'B');
    await next();
    await shows(isBlack({ x: 40, y: 40, width: 16, height: 16 }));
    redactor.settle([]);
    await readUntil(reader, hasCharacterAt(40, 40));
  }));

test('not strict: when nothing can be read, all that has changed is masked', () =>
  reading(LATE, async (reader) => {
    const { painter, redactor, next, shows } = reader;
    await readUntil(reader, isWhiteAt(45, 45));
    await painter.char(40, 40, 'A');
    await shows(hasCharacterAt(40, 40));
    await next();
    redactor.fail();
    await shows(isBlack({ x: 40, y: 40, width: 8, height: 16 }));
    await painter.char(40, 200, 'B');
    await shows(isBlack({ x: 40, y: 200, width: 8, height: 16 }));
    await shows(isWhiteAt(200, 100));
    await readUntil(reader, (picture) => hasCharacterAt(40, 40)(picture) && hasCharacterAt(40, 200)(picture));
  }));

test('not strict: what nobody reads in time is masked', () =>
  reading({ ...LATE, shownUnreadMs: 50 }, async (reader) => {
    const { painter, shows } = reader;
    await painter.char(40, 40, 'A');
    await shows(isBlack(WHOLE));
    await readUntil(reader, hasCharacterAt(40, 40));
  }));

test('a reader that is gone leaves everything masked that changes', () =>
  reading(LATE, async (reader) => {
    const { painter, redactor, shows } = reader;
    await readUntil(reader, isWhiteAt(45, 45));
    await redactor.close();
    await painter.char(40, 40, 'A');
    await shows(isBlack({ x: 40, y: 40, width: 8, height: 16 }));
  }));
