import type { seededRandom } from '../../test/support/prng.js';

export type Random = ReturnType<typeof seededRandom>;

/** What parsers have stumbled over: ends of ranges, signs, characters that begin or end something. */
const MORSELS = [
  '',
  '0',
  '-1',
  '65536',
  '2147483648',
  '18446744073709551616',
  '\0',
  '\r',
  '\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
]
  .concat([';', ',', '=', '"', '%00', '%', '/', '../', '?', '#', '$', '\xff\xfe', 'a'.repeat(300), 'A'.repeat(20_000)])
  .map((text) => Buffer.from(text, 'latin1'));

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const splice = (bytes: Buffer, from: number, to: number, middle: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);

const MUTATIONS: readonly Mutation[] = [
  function flip(bytes, random) {
    const copy = Buffer.from(bytes);
    copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  function cutOut(bytes, random) {
    const from = random.below(bytes.length);
    return splice(bytes, from, Math.min(bytes.length, from + 1 + random.below(40)), Buffer.alloc(0));
  },
  function putIn(bytes, random) {
    const at = random.below(bytes.length);
    return splice(bytes, at, at, MORSELS[random.below(MORSELS.length)] ?? Buffer.alloc(0));
  },
  function repeat(bytes, random) {
    const from = random.below(bytes.length);
    const part = bytes.subarray(from, from + 1 + random.below(200));
    return splice(bytes, from, from, Buffer.concat(Array.from({ length: 1 + random.below(8) }, () => part)));
  },
  function otherNumber(bytes, random) {
    const numbers = [...bytes.toString('latin1').matchAll(/\d+/g)];
    const number = numbers[random.below(numbers.length)];
    if (!number) return bytes;
    const other = MORSELS[1 + random.below(5)] ?? Buffer.alloc(0);
    return splice(bytes, number.index, number.index + number[0].length, other);
  },
  function swapLines(bytes, random) {
    const lines = bytes.toString('latin1').split('\r\n');
    const [a, b] = [random.below(lines.length), random.below(lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    return Buffer.from(lines.join('\r\n'), 'latin1');
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, 1 + random.below(bytes.length));
  },
];

/** A request with one to four of the things done to it that go wrong in programs and lines. */
export function mutate(request: Buffer, random: Random): Buffer {
  let bytes = request;
  for (let times = 1 + random.below(4); times > 0 && bytes.length > 0; times -= 1) {
    bytes = MUTATIONS[random.below(MUTATIONS.length)]?.(bytes, random) ?? bytes;
  }
  return bytes;
}
