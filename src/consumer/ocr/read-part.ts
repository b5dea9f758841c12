import type { Rect } from '../../core/index.js';

/** Which of the lines that were found are read: reading them takes far longer than finding them. */
export interface ReadPart {
  /** Lines of so many characters together, as far as their size tells, of all heights alike. */
  readonly mostCharacters?: number;
  /** Only what reaches into one of these rectangles. */
  readonly places?: readonly Rect[];
}

/** Width of a character over the height of its line, in most fonts. */
const CHARACTER_WIDTH = 0.55;

/** The lines to be read, in the order of the input. */
export function linesToRead<Line extends Rect>(lines: readonly Line[], part: ReadPart): Line[] {
  const { places, mostCharacters } = part;
  const there = places ? lines.filter((line) => places.some((place) => meets(line, place))) : [...lines];
  return mostCharacters === undefined ? there : sample(there, mostCharacters);
}

/** Every so many of the lines, sorted by height, so that small print is among them as well as headings. */
function sample<Line extends Rect>(lines: readonly Line[], mostCharacters: number): Line[] {
  const characters = lines.reduce((sum, { width, height }) => sum + width / (height * CHARACTER_WIDTH), 0);
  const step = Math.max(1, characters / mostCharacters);
  const byHeight = [...lines].sort((a, b) => a.height - b.height);
  const chosen = new Set(byHeight.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step)));
  return lines.filter((line) => chosen.has(line));
}

function meets(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
