import { type Span, spansOf } from './text-finder.js';

/** ISO/IEC 7812: lengths that are in use. */
const SHORTEST = 13;
const LONGEST = 19;
/** What a reader takes digits for. */
const MISREAD: Readonly<Record<string, string>> = { O: '0', o: '0', D: '0', l: '1', I: '1', '|': '1', S: '5', B: '8' };
const RUN = /[\dOoDlI|SB](?:[ .–—-]{0,2}[\dOoDlI|SB]){12,63}/g;
/** Digits that were certainly read as such: words of those letters alone are no number. */
const LEAST_DIGITS = 9;
/** Cards show their digits in these groups. One that was misread fails Luhn, so that the shape alone is enough. */
const GROUPED = [
  /(?<!\d)[2-6]\d{3}([ -]{1,2})\d{4}\1\d{4}\1\d{4}(?!\d)/g,
  /(?<!\d)3[47]\d{2}([ -]{1,2})\d{6}\1\d{5}(?!\d)/g,
];

/** Card numbers: 13 to 19 digits that satisfy Luhn's formula, or stand in the groups of a card. */
export function findCardNumbers(text: string): Span[] {
  return [
    ...spansOf(text, GROUPED),
    ...spansOf(text, [RUN]).filter(({ start, end }) => holdsCard(text.slice(start, end))),
  ];
}

function holdsCard(run: string): boolean {
  if (run.replace(/\D/g, '').length < LEAST_DIGITS) return false;
  const digits = [...run].map((character) => MISREAD[character] ?? character).filter((c) => /\d/.test(c));
  for (let from = 0; from + SHORTEST <= digits.length; from += 1) {
    for (let length = SHORTEST; length <= LONGEST && from + length <= digits.length; length += 1) {
      if (isLuhn(digits.slice(from, from + length))) return true;
    }
  }
  return false;
}

/** Cards of networks that exist begin with 2 to 6; twelve zeros satisfy the formula, too. */
function isLuhn(digits: readonly string[]): boolean {
  if (!/[2-6]/.test(digits[0] ?? '')) return false;
  const sum = digits.toReversed().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
