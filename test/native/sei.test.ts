import { expect, test } from 'vitest';
import { addon } from '../../src/native/index.js';
import { seededRandom } from '../support/prng.js';

const { writeSei, findSei } = addon();

const SPS = Buffer.from([0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9]);
const SLICE = Buffer.from([0, 0, 1, 0x65, 0x88, 0x84, 0, 0x10]);
/** What x264 puts into its first access unit: user data under another UUID. */
const OTHER_SEI = Buffer.concat([
  Buffer.from([0, 0, 1, 6, 5, 20]),
  Buffer.alloc(16, 0xdc),
  Buffer.from('x264\x80', 'latin1'),
]);

function randomBytes(random: ReturnType<typeof seededRandom>, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** NAL payload bytes of a byte stream must not hold 00 00 00, 00 00 01 or 00 00 02 (ITU-T H.264, 7.4.1). */
function holdsForbiddenBytes(nal: Buffer): boolean {
  for (let at = 4; at + 2 < nal.length; at++) {
    if (nal[at] === 0 && nal[at + 1] === 0 && (nal[at + 2] ?? 0) <= 2) return true;
  }
  return false;
}

test('what is written is found again, whatever its length', () => {
  const random = seededRandom(1);
  for (const length of [0, 1, 2, 237, 238, 239, 240, 255, 494, 493, 495, 1000, 5000]) {
    const payload = randomBytes(random, length);
    expect(findSei(Buffer.concat([SPS, OTHER_SEI, writeSei(payload), SLICE]))).toEqual(payload);
  }
});

test('bytes that look like start codes are kept apart', () => {
  const payloads = [
    Buffer.alloc(1000),
    Buffer.alloc(301, 1),
    Buffer.alloc(300, 3),
    Buffer.from('000000010000010000020000030000000003000000', 'hex'),
    Buffer.from('ff0000', 'hex'),
  ];
  for (const payload of payloads) {
    const nal = writeSei(payload);
    expect(holdsForbiddenBytes(nal)).toBe(false);
    expect(findSei(Buffer.concat([nal, SLICE]))).toEqual(payload);
  }
  expect(writeSei(Buffer.alloc(1000)).length).toBeGreaterThan(1490); // one byte more for every two zeros
});

test('the last byte ends the message as H.264 wants it', () => {
  expect(writeSei(Buffer.from([7])).at(-1)).toBe(0x80);
});

test('nothing is found without our message, behind a slice, or in a cut one', () => {
  const nal = writeSei(Buffer.from('payload'));
  expect(findSei(Buffer.alloc(0))).toBeNull();
  expect(findSei(Buffer.concat([SPS, OTHER_SEI, SLICE]))).toBeNull();
  expect(findSei(Buffer.concat([SPS, SLICE, nal]))).toBeNull();
  for (let length = 0; length < nal.length - 1; length++) expect(findSei(nal.subarray(0, length))).toBeNull();
});

test('100,000 mutations of an access unit are all survived', () => {
  const random = seededRandom(7);
  const unit = Buffer.concat([SPS, OTHER_SEI, writeSei(randomBytes(random, 90)), SLICE]);
  let found = 0;
  for (let round = 0; round < 100_000; round++) {
    const mutated = Buffer.from(unit.subarray(0, random.below(8) === 0 ? random.below(unit.length) : unit.length));
    for (let change = 0; change <= random.below(4) && mutated.length > 0; change++) {
      mutated[random.below(mutated.length)] = [0, 1, 3, 0xff, 6, random.below(256)][random.below(6)] ?? 0;
    }
    const payload = findSei(mutated);
    if (payload) {
      found += 1;
      expect(payload.length).toBeLessThan(unit.length);
    }
  }
  // Most hits are in the payload, which leaves the message where it is.
  expect(found).toBeGreaterThan(20_000);
  expect(found).toBeLessThan(100_000);
});
