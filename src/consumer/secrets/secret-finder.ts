import type { Rect } from '../../core/index.js';
import type { TextLine } from '../adaptor.js';
import { rowsInReadingOrder } from '../ocr/reading-order.js';
import { findKeys, PEM_BEGIN, PEM_END } from './key-shapes.js';
import type { Span, TextFinder } from './text-finder.js';
import { textFinders } from './text-patterns.js';

/** What may be the rest of a key at the beginning of a row, and is no word. */
const CONTINUED = /^(?![A-Z]?[a-z]*[.,:;]?(?:\s|$))[\w+/=.-]{2,}/;

interface Segment extends Span {
  readonly line: TextLine;
}

interface Row {
  readonly text: string;
  readonly segments: readonly Segment[];
}

/** Finds in what was read of a picture the lines with text that must not be seen. */
export class SecretFinder {
  readonly #finders: readonly TextFinder[];
  readonly #hasKeys: boolean;

  /** @param patterns `keys`, `cards`, `emails`, `/expression/`. @throws CAP_USAGE */
  constructor(patterns: readonly string[]) {
    this.#finders = textFinders(patterns);
    this.#hasKeys = this.#finders.includes(findKeys);
  }

  /** What covers them; of a row, every part that a match touches, whole: where in it a letter stands is not known. */
  find(lines: readonly TextLine[]): Rect[] {
    const found = new Set<TextLine>();
    let continues = false;
    let inBlock = false;
    for (const { text, segments } of rowsInReadingOrder(lines).map(rowOf)) {
      const spans = this.#finders.flatMap((find) => find(text));
      for (const span of spans) for (const line of touched(segments, span)) found.add(line);
      if (!this.#hasKeys) continue;
      if (inBlock || PEM_BEGIN.test(text)) for (const { line } of segments) found.add(line);
      inBlock = (inBlock || PEM_BEGIN.test(text)) && !PEM_END.test(text);
      // A key that a terminal breaks at its edge goes on at the beginning of the next row.
      const first = segments[0];
      const continued: string | undefined = continues && first ? CONTINUED.exec(first.line.text)?.[0] : undefined;
      if (continued !== undefined && first) found.add(first.line);
      const reachesEnd = findKeys(text).some(({ start, end }) => end === text.length && end - start >= 16);
      continues = reachesEnd || (continued !== undefined && continued.length === text.length);
    }
    return [...found].map(({ box }) => grown(box));
  }
}

function rowOf(lines: readonly TextLine[]): Row {
  const segments: Segment[] = [];
  let text = '';
  for (const line of lines) {
    if (text !== '') text += ' ';
    segments.push({ line, start: text.length, end: text.length + line.text.length });
    text += line.text;
  }
  return { text, segments };
}

const touched = (segments: readonly Segment[], { start, end }: Span): TextLine[] =>
  segments.filter((segment) => segment.start < end && segment.end > start).map(({ line }) => line);

/** What is read ends a little before the last stroke does. */
function grown({ x, y, width, height }: Rect): Rect {
  const aside = Math.ceil(height * 0.8);
  const above = Math.ceil(height * 0.25);
  const left = Math.max(0, Math.floor(x - aside));
  const top = Math.max(0, Math.floor(y - above));
  return { x: left, y: top, width: Math.ceil(x + width + aside) - left, height: Math.ceil(y + height + above) - top };
}
