import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  CapError,
  encodeStaticSections,
  type FrameMetadata,
  type GundamLayout,
  parseSeiPayload,
} from '../../src/core/index.js';
import { seededRandom } from '../support/prng.js';
import { encodeSeiPayload, seiSection } from '../support/sei-payload.js';

const plain: FrameMetadata = {
  frameNumber: 7,
  capturedMonotonicNs: 123_456_789_012n,
  capturedWallUs: 1_795_247_000_000_000n,
  clockId: 0xfedc_ba98_7654_3210n,
  source: { width: 1920, height: 1080 },
  plan: 'p4',
};

const layout: GundamLayout = {
  columns: 2,
  rows: 1,
  global: { x: 0, y: 640, width: 1024, height: 1024 },
  tiles: [
    { x: 0, y: 0, width: 640, height: 640 },
    { x: 640, y: 0, width: 640, height: 640 },
  ],
};

const full: FrameMetadata = {
  ...plain,
  frameNumber: Number.MAX_SAFE_INTEGER,
  plan: 'gundam',
  damage: [
    { x: 0, y: 0, width: 65535, height: 65535 },
    { x: 65535, y: 1, width: 2, height: 3 },
  ],
  masked: [{ x: 10, y: 20, width: 30, height: 40 }],
  gundam: layout,
};

/** The bytes of the nth block of hexadecimal in docs/sei.md. */
function documentedBytes(index: number): Buffer {
  const text = readFileSync(new URL('../../docs/sei.md', import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/```hex\n(.*?)```/gs)].map((match) => String(match[1]));
  return Buffer.from((blocks[index] ?? expect.fail(`docs/sei.md has no block ${index}`)).replace(/\s/g, ''), 'hex');
}

const rects = (count: number) => Array.from({ length: count }, (_, x) => ({ x, y: 1, width: 2, height: 3 }));
const withSection = (type: number, content: readonly number[]) =>
  Buffer.concat([encodeSeiPayload(plain), seiSection(type, Buffer.from(content))]);

describe('parseSeiPayload', () => {
  test('reads the example of docs/sei.md', () => {
    const bytes = documentedBytes(0);
    expect(parseSeiPayload(bytes)).toEqual({
      frameNumber: 42,
      capturedMonotonicNs: 20_000_000_000n,
      capturedWallUs: 1_768_796_157_362_176n,
      clockId: 0x0123_4567_89ab_cdefn,
      source: { width: 1920, height: 1080 },
      plan: 'p4',
      damage: [{ x: 16, y: 32, width: 320, height: 240 }],
    });
  });

  test('gives back what was encoded', () => {
    const none: GundamLayout = { columns: 0, rows: 0, tiles: [], global: layout.global };
    const still: FrameMetadata = { ...plain, plan: 'é', damage: [], masked: [] };
    for (const metadata of [plain, full, still, { ...full, gundam: none }]) {
      expect(parseSeiPayload(encodeSeiPayload(metadata))).toStrictEqual(metadata);
    }
  });

  test('gives back anything that can be encoded', () => {
    const random = seededRandom(3);
    const rect = () => ({
      x: random.below(65536),
      y: random.below(65536),
      width: 1 + random.below(65535),
      height: 1 + random.below(65535),
    });
    const list = (count: number) => Array.from({ length: count }, rect);
    for (let run = 0; run < 2000; run++) {
      const [columns, rows] = random.below(4) === 0 ? [0, 0] : [1 + random.below(9), 1 + random.below(9)];
      const metadata: FrameMetadata = {
        frameNumber: random.below(2 ** 31) * random.below(2 ** 20),
        capturedMonotonicNs: BigInt(random.below(2 ** 31)) << BigInt(random.below(33)),
        capturedWallUs: BigInt(random.below(2 ** 31)) << BigInt(random.below(33)),
        clockId: BigInt(random.below(2 ** 31)) << BigInt(random.below(33)),
        source: { width: 1 + random.below(65535), height: 1 + random.below(65535) },
        plan: 'x'.repeat(1 + random.below(32)),
        ...(random.below(2) === 0 && { damage: list(random.below(20)) }),
        ...(random.below(2) === 0 && { masked: list(random.below(20)) }),
        ...(random.below(2) === 0 && { gundam: { columns, rows, tiles: list(columns * rows), global: rect() } }),
      };
      expect(parseSeiPayload(encodeSeiPayload(metadata))).toStrictEqual(metadata);
    }
  });

  test('takes sections in any order and skips unknown ones', () => {
    const sections = [
      seiSection(200, Buffer.from([1, 2, 3])),
      encodeStaticSections({ plan: 'p4' }),
      seiSection(200, Buffer.alloc(0)),
      encodeSeiPayload(plain).subarray(1, 1 + 35 + 7),
    ];
    expect(parseSeiPayload(Buffer.concat([Buffer.from([1]), ...sections]))).toStrictEqual(plain);
  });

  test('has no metadata for another version, or for nothing', () => {
    const next = encodeSeiPayload(plain);
    next[0] = 2;
    expect(parseSeiPayload(next)).toBeUndefined();
    expect(parseSeiPayload(Buffer.alloc(0))).toBeUndefined();
    expect(parseSeiPayload(Buffer.from([1]))).toBeUndefined();
  });

  test('has no metadata for any payload that is cut short within a section', () => {
    const whole = encodeSeiPayload(plain);
    for (let length = 0; length < whole.length; length++) {
      expect(parseSeiPayload(whole.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
  });

  test.each([
    ['a repeated section', withSection(3, [0x70])],
    ['a trailing byte', Buffer.concat([encodeSeiPayload(plain), Buffer.from([9])])],
    ['half a rectangle', withSection(5, [0, 0, 0, 0])],
    ['an empty rectangle', withSection(5, [0, 1, 0, 1, 0, 0, 0, 1])],
    ['an empty masked rectangle', withSection(6, [0, 1, 0, 1, 0, 1, 0, 0])],
    ['an empty Gundam section', withSection(4, [])],
    ['a Gundam layout without its global view', withSection(4, [0, 0])],
    ['a Gundam layout with columns but no rows', withSection(4, [1, 0, 0, 0, 0, 0, 0, 1, 0, 1])],
    ['a Gundam layout that lacks tiles', withSection(4, [1, 1, 0, 0, 0, 0, 0, 1, 0, 1])],
    ['an empty name', encodeSeiPayload({ ...plain, plan: '' })],
    ['a long name', encodeSeiPayload({ ...plain, plan: 'x'.repeat(33) })],
    ['a name that steers the terminal', encodeSeiPayload({ ...plain, plan: '\u001b[2J' })],
    ['an empty source', encodeSeiPayload({ ...plain, source: { width: 0, height: 1080 } })],
    ['a name that is not UTF-8', Buffer.concat([encodeSeiPayload(plain).subarray(0, -1), Buffer.from([0xff])])],
    ['a frame number past 2^53', Buffer.from(encodeSeiPayload(plain)).fill(0xff, 4, 12)],
    ['more than 4096 rectangles', encodeSeiPayload({ ...plain, damage: rects(4000), masked: rects(97) })],
    ['more than 4096 rectangles in one section', encodeSeiPayload({ ...plain, damage: rects(4097) })],
  ])('has no metadata for %s', (_what, payload) => {
    expect(parseSeiPayload(payload)).toBeUndefined();
  });

  test('reads as many as 4096 rectangles', () => {
    const many = parseSeiPayload(encodeSeiPayload({ ...plain, damage: rects(4000), masked: rects(96) }));
    expect(many?.damage).toHaveLength(4000);
    expect(many?.masked).toHaveLength(96);
  });

  test('survives 100,000 mutated payloads, and what it accepts is sound', () => {
    const random = seededRandom(2026);
    const seeds = [plain, full, { ...plain, damage: rects(3), masked: rects(2) }].map(encodeSeiPayload);
    let accepted = 0;
    for (let run = 0; run < 100_000; run++) {
      const payload = mutate(seeds[random.below(seeds.length)] as Buffer, random);
      const metadata = parseSeiPayload(payload);
      if (!metadata) continue;
      accepted++;
      // Encoded again and read again, it is the same: nothing was invented or misread.
      expect(parseSeiPayload(encodeSeiPayload(metadata))).toStrictEqual(metadata);
    }
    // Both branches were really taken.
    expect(accepted).toBeGreaterThan(1000);
    expect(accepted).toBeLessThan(99_000);
  });
});

/** Flips, inserts, removes, repeats or cuts a few bytes. */
function mutate(seed: Buffer, random: { below(limit: number): number }): Buffer {
  let bytes: Buffer = Buffer.from(seed);
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + random.below(12));
    const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    const noise = Buffer.from(Array.from({ length: 1 + random.below(12) }, () => random.below(256)));
    const variants = [
      () => Buffer.concat([head, noise.subarray(0, middle.length), middle.subarray(noise.length), tail]),
      () => Buffer.concat([head, noise, middle, tail]),
      () => Buffer.concat([head, tail]),
      () => Buffer.concat([head, middle, middle, tail]),
      () => head,
    ];
    bytes = (variants[random.below(variants.length)] as () => Buffer)();
  }
  return bytes;
}

describe('encodeStaticSections', () => {
  test('writes the bytes that docs/sei.md shows', () => {
    const bytes = encodeStaticSections({ plan: 'gundam', gundam: layout, masked: rects(1) });
    expect(bytes.toString('hex')).toBe(documentedBytes(1).toString('hex'));
  });

  test.each([
    ['no name', { plan: '' }],
    ['a name over 32 bytes', { plan: 'é'.repeat(17) }],
    ['a control character in the name', { plan: 'a\nb' }],
    ['a tile too few', { plan: 'gundam', gundam: { ...layout, rows: 2 } }],
    ['a grid over 255', { plan: 'gundam', gundam: { ...layout, columns: 256, tiles: rects(256) } }],
    ['an empty rectangle', { plan: 'p4', masked: [{ x: 0, y: 0, width: 0, height: 5 }] }],
    ['a rectangle past 65535', { plan: 'p4', masked: [{ x: 65536, y: 0, width: 1, height: 5 }] }],
    ['half a pixel', { plan: 'p4', masked: [{ x: 0.5, y: 0, width: 1, height: 5 }] }],
    ['too many rectangles', { plan: 'p4', masked: rects(4097) }],
  ])('refuses %s', (_what, sections) => {
    expect(() => encodeStaticSections(sections)).toThrow(CapError);
  });
});
