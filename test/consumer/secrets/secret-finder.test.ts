import { expect, test } from 'vitest';
import { SecretFinder, splitTextPatterns } from '../../../src/consumer/index.js';

const PITCH_PX = 30;
const CHARACTER_PX = 10;

/** Lines below each other as a reader gives them, each beginning at the left edge. */
const page = (...texts: readonly string[]) =>
  texts.map((text, row) => ({
    text,
    box: { x: 0, y: row * PITCH_PX, width: text.length * CHARACTER_PX, height: 20 },
  }));

/** The rows of a page that are masked. */
function maskedRows(patterns: readonly string[], ...texts: readonly string[]): number[] {
  const masks = new SecretFinder(patterns).find(page(...texts));
  return texts.flatMap((_, row) => {
    const middle = row * PITCH_PX + 10;
    return masks.some(({ y, height }) => middle >= y && middle < y + height) ? [row] : [];
  });
}

const isMasked = (patterns: readonly string[], text: string): boolean => maskedRows(patterns, text).length === 1;

/** Joined here, so that nobody takes this file for one that has keys in it. */
const KEYS = [
  ['sk', '-proj-', 'Zk3vQ81mN0xYpLr7Wd2T'],
  ['sk', '-ant-', 'api03-Tq9vLx2Rk8Wm1Zp4'],
  ['sk', '_live_', '51HxYzAbCdEfGhIjKl'],
  ['AK', 'IA', 'IOSFODNN7EXAMPLE'],
  ['AI', 'za', 'SyD4x9Qm2Lk8Vb1Nc7Zt3Wp'],
  ['gh', 'p_', '16C7e42F292c6912E7710c838347Ae178B4a'],
  ['github', '_pat_', '11ABCDEFG0aBcDeFgHiJkLm'],
  ['gl', 'pat-', 'Xk29vLmQ81Zp4Wd7Tr3n'],
  ['xo', 'xb-', '123456789012-abcdefGHIJKL'],
  ['npm', '_', 'Zk3vQ81mN0xYpLr7Wd2TgH5j'],
  ['hf', '_', 'QwErTyUiOpAsDfGhJkLz'],
  ['SG', '.', 'ngeVfQFYQlKU0ufo8x5d1A'],
  ['ey', 'J', 'hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0In0.abcDEF123'],
  ['Api', '_Key = ', 'hunter2hunter2'],
  ['pass', 'word: ', 'correct-horse'],
  ['Authorization: Bear', 'er ', 'abcdef0123456789'],
  ['postgres://app:', 's3cret', '@db.internal/app'],
  ['', '', '550e8400-e29b-41d4-a716-446655440000'],
  ['', '', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
].map((parts) => parts.join(''));

test.each(KEYS)('a key: %s', (key) => {
  expect(isMasked(['keys'], key)).toBe(true);
  expect(isMasked(['keys'], `then use ${key} for it`)).toBe(true);
});

test.each([
  'a dash read as a space: sk proj Zk3vQ81mN0xYpLr7Wd2T',
  'an I read as l: AKlAIOSFODNN7EXAMPLE',
  'an underscore that was lost: ghp16C7e42F292c6912E77',
])('a key of which the reader got a letter wrong, %s', (text) => expect(isMasked(['keys'], text)).toBe(true));

test.each([
  'The gateway captures the screen once and encodes it once.',
  'Release notes for version 4.12.3 were published on Tuesday, 14 March 2023.',
  'https://example.org/documentation/getting-started/installation',
  'src/consumer/secrets/secret-finder.ts',
  'Warning: disk usage on /dev/sda1 is above 90 percent of its capacity.',
  'Deployment finished in 214 seconds with 0 errors and 3 warnings.',
  'ask the skeleton crew about the task-oriented risk-assessment',
  'internationalization_and_localization',
  '2023-03-14T10:22:33 INFO started',
])('no key: %s', (text) => expect(isMasked(['keys', 'cards', 'emails'], text)).toBe(false));

test.each([
  ['4111 1111 1111 1111', true],
  ['pay with 4111111111111111 today', true],
  ['3782-822463-10005', true],
  ['5555.5555.5555.4444', true],
  ['a digit read as a letter: 4l11 1111 1111 1111', true],
  ['one that was misread, in the groups of a card: 4111 1111 1111 1112', true],
  ['number 4111111111111112', false],
  ['+49 30 901820', false],
  ['0000000000000000', false],
  ['2023-03-14 10:22:33.123456', false],
  ['loss 0.123456 at step 48310', false],
])('card number, %s: %s', (text, masked) => expect(isMasked(['cards'], text)).toBe(masked));

test.each([
  ['ann@example.org', true],
  ['write to ann.b+c@mail.example.co.uk soon', true],
  ['read as ann©example.org', true],
  ['with spaces, ann @ example . org', true],
  ['at 5 @ 3', false],
  ['@decorator', false],
])('e-mail address, %s: %s', (text, masked) => expect(isMasked(['emails'], text)).toBe(masked));

test('only what was asked for is masked', () => {
  const rows = [`${KEYS[0]} is the key`, '4111 1111 1111 1111', 'ann@example.org', 'order ID-4711'];
  expect(maskedRows(['keys'], ...rows)).toEqual([0]);
  expect(maskedRows(['cards'], ...rows)).toEqual([1]);
  expect(maskedRows(['emails'], ...rows)).toEqual([2]);
  expect(maskedRows(['/ID-[0-9]+/'], ...rows)).toEqual([3]);
  expect(maskedRows(['/id-[0-9]+/i', 'cards'], ...rows)).toEqual([1, 3]);
});

test('a PEM block is masked from its first line to its last', () => {
  const rows = [
    '$ cat key',
    '-----BEGIN RSA PRIVATE KEY-----',
    'short',
    'Yq==',
    '-----END RSA PRIVATE KEY-----',
    '$ ls',
  ];
  expect(maskedRows(['keys'], ...rows)).toEqual([1, 2, 3, 4]);
});

test('a key that is broken at the edge of a terminal is masked in all its rows', () => {
  const [token = ''] = KEYS.filter((key) => key.startsWith('eyJ'));
  const rows = [`export T=${token.slice(0, 30)}`, token.slice(30, 60), `${token.slice(60)} and`, 'more text'];
  expect(maskedRows(['keys'], ...rows)).toEqual([0, 1, 2]);
});

test('one that the reader cut in parts of a row is masked in each; the rest of the row stays', () => {
  const part = (text: string, x: number) => ({ text, box: { x, y: 0, width: 100, height: 20 } });
  const masks = new SecretFinder(['cards']).find([part('4111 1111', 0), part('1111 1111', 150), part('Total', 400)]);
  expect(masks.map(({ x, width }) => [x, x + width])).toEqual([
    [0, 116],
    [134, 266],
  ]);
});

test('an expression takes time in proportion to the text', () => {
  const rows = Array.from({ length: 50 }, () => 'a'.repeat(2000));
  // Backtracking would take longer than there is: 2^2000 steps.
  expect(maskedRows(['/(a+)+b/'], ...rows)).toEqual([]);
});

test('what stands in an option is split at the commas between patterns', () => {
  expect(splitTextPatterns('keys,cards,emails')).toEqual(['keys', 'cards', 'emails']);
  expect(splitTextPatterns('/ID-\\d{1,4}/i,keys,/a\\/,b/')).toEqual(['/ID-\\d{1,4}/i', 'keys', '/a\\/,b/']);
});

test.each([
  ['keyz', 'expected keys, cards, emails or /expression/ for the text to redact, received "keyz"'],
  ['/(/', '/(/ is no expression'],
  ['/(?=a)/', '/(?=a)/ is no expression'],
  ['/x*/', '/x*/ matches everywhere'],
])('%s is refused', (pattern, message) => {
  expect(() => new SecretFinder([pattern])).toThrow(message);
});

test.each(['', 'keys,', '/a', 'keys,,cards'])('"%s" is no list of patterns', (text) => {
  expect(() => splitTextPatterns(text)).toThrow('expected keys, cards, emails or /expression/');
});
