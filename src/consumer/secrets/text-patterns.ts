import { RE2JS } from 're2js';
import { CapError, toCapError, unexpected } from '../../core/index.js';
import { findCardNumbers } from './card-numbers.js';
import { findKeys } from './key-shapes.js';
import { type Span, spansOf, type TextFinder } from './text-finder.js';

/** The kinds of text that are known by name. */
export const TEXT_KINDS = ['keys', 'cards', 'emails'] as const;

const MOST_PATTERNS = 64;
const LONGEST_EXPRESSION = 1000;
/** The reader takes @ for © or a letter in a circle. */
const EMAIL = /[A-Za-z0-9._%+-]{1,64} ?[@©®] ?[A-Za-z0-9-]{2,63}(?: ?[.,] ?[A-Za-z0-9-]{2,63}){0,8}/g;

/**
 * Splits `keys,cards,/ID-\d{1,4}/i` into its patterns; a comma within slashes is the expression's.
 * @throws CAP_USAGE
 */
export function splitTextPatterns(text: string): string[] {
  const patterns = [...text.matchAll(/(\/(?:\\.|[^/\\])+\/i?|[^,/]+)(?:,|$)/gy)].map(([, pattern = '']) => pattern);
  if (patterns.join(',').length !== text.length || text === '') throw unknownPattern(text);
  return patterns;
}

/** What finds each of these patterns. @throws CAP_USAGE */
export function textFinders(patterns: readonly string[]): TextFinder[] {
  if (patterns.length > MOST_PATTERNS)
    throw unexpected('the redacted texts', `${MOST_PATTERNS} at most`, patterns.length);
  return patterns.map(finderOf);
}

function finderOf(pattern: string): TextFinder {
  if (pattern === 'keys') return findKeys;
  if (pattern === 'cards') return findCardNumbers;
  if (pattern === 'emails') return (text) => spansOf(text, [EMAIL]);
  const [, source, flag] = /^\/(.+)\/(i?)$/s.exec(pattern) ?? [];
  if (source === undefined || source.length > LONGEST_EXPRESSION) throw unknownPattern(pattern);
  return expressionFinder(source, flag === 'i');
}

/** RE2 takes time in proportion to the text, whatever the expression: a bad one cannot stop the reading. */
function expressionFinder(source: string, ignoreCase: boolean): TextFinder {
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (cause) {
    throw new CapError('CAP_USAGE', `/${source}/ is no expression: ${toCapError(cause).message}`, {
      hint: 'the syntax is that of RE2, without look-around and back references',
      cause,
    });
  }
  if (expression.matcher('').find()) {
    throw new CapError('CAP_USAGE', `/${source}/ matches everywhere`, { hint: 'it must not match an empty text' });
  }
  return (text) => {
    const spans: Span[] = [];
    const matcher = expression.matcher(text);
    while (matcher.find()) spans.push({ start: matcher.start(), end: matcher.end() });
    return spans;
  };
}

const unknownPattern = (received: string): CapError =>
  unexpected('the text to redact', `${TEXT_KINDS.join(', ')} or /expression/`, received);
