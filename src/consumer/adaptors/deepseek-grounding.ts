import type { Size } from '../../core/index.js';
import type { TextLine } from '../adaptor.js';

/** DeepSeek-OCR's places are thousandths of the picture's sides, 0 to 999. */
const UNITS = 999;
const TAGGED = /<\|ref\|>(.*?)<\|\/ref\|><\|det\|>(.*?)<\|\/det\|>([^<]*)/gs;
const BOX = /\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]/g;

/**
 * Reads `<|ref|>…<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>…`. In a converted document the tag holds the kind
 * of a block (`text`, `title`, `table`) and the words follow; in plain reading the tag holds the words.
 */
export function readGrounding(answer: string, size: Size): { text: string; lines: TextLine[] } {
  const lines: TextLine[] = [];
  for (const [, tag = '', places = '', following = ''] of answer.matchAll(TAGGED)) {
    const text = following.trim() || tag.trim();
    for (const [, x1, y1, x2, y2] of places.matchAll(BOX)) {
      const [left, top] = [scale(x1, size.width), scale(y1, size.height)];
      const box = { x: left, y: top, width: scale(x2, size.width) - left, height: scale(y2, size.height) - top };
      if (text !== '' && box.width > 0 && box.height > 0) lines.push({ text, box });
    }
  }
  const text = answer.replace(TAGGED, (_, tag: string, __, following: string) =>
    following.trim() === '' ? `${tag}${following || '\n'}` : following.replace(/^\n/, ''),
  );
  return { text: text.trim(), lines };
}

function scale(thousandths: string | undefined, length: number): number {
  return Math.round((Number(thousandths) / UNITS) * length);
}
