import type { Rect, Size } from '../../core/index.js';
import type { TextLine } from '../adaptor.js';
import { distanceWithin } from './edit-distance.js';

/** How much of the text that is read at full size is still read at a smaller one. */
export interface Legibility {
  /** Share of the characters, from 0 to 1; 1 where there is no text that could be lost. */
  readonly share: number;
  /** How many characters were compared: a sample, where there is much text. */
  readonly characters: number;
  /** At most three parts of the picture that lost the most, the worst first; empty where nothing is lost. */
  readonly worst: readonly RegionLegibility[];
}

/** The same of a part of the picture. */
export interface RegionLegibility {
  /** Around its lines, in pixels of the source. */
  readonly region: Rect;
  readonly share: number;
  readonly characters: number;
}

/** A measurement with the decision that goes with it. */
export interface Measured extends Legibility {
  /** Whether a share is reached, by the whole picture and by each part of it with enough text to tell. */
  reaches(atLeast: number): boolean;
}

/** Text is above 0.94; icons and scripts that the reader does not know are below 0.84, and change with the size. */
const MIN_CONFIDENCE = 0.88;
/** The parts of a picture that are told apart. */
const COLUMNS = 4;
const ROWS = 3;
/** A part with less text does not decide: a single letter would be much of it. */
const ENOUGH_CHARACTERS = 40;
/** A part may lose this many times what the whole may. */
const REGION_SLACK = 2;
const MOST_REGIONS = 3;

/** What was read at full size, which a smaller size is compared with. */
export interface Reference {
  /** Those of which the reader is sure; in pixels of the source. */
  readonly lines: readonly TextLine[];
  /** Of most of the text it is not: small print that nobody can read, or a script that it does not know. */
  readonly isDoubtful: boolean;
}

/** Lines of three characters at least count; what is shorter may be an icon. */
export function referenceOf(lines: readonly TextLine[]): Reference {
  const texts = lines.filter(({ text }) => plain(text).length >= 3);
  const sure = texts.filter(({ confidence = 1 }) => confidence >= MIN_CONFIDENCE);
  return { lines: sure, isDoubtful: charactersOf(texts) > 2 * charactersOf(sure) };
}

const charactersOf = (lines: readonly TextLine[]): number =>
  lines.reduce((sum, { text }) => sum + plain(text).length, 0);

/**
 * Compares what was read at full size with what was read at another.
 *
 * The share of a line is `1 - d / n`: `n` its characters without spaces, `d` the edits that turn what stands at
 * its place into it (see distanceWithin), at most `n`. The share of a picture or region is the mean over its lines,
 * weighted by `n`. Where the same text was read in several pictures, an overview and its parts, the best counts.
 *
 * @param reference the lines at full size that count, in pixels of the source
 * @param readings what was read of each layer, in pixels of the source
 */
export function compareReadings(
  reference: readonly TextLine[],
  readings: readonly (readonly TextLine[])[],
  source: Size,
): Measured {
  const whole = new Tally();
  const regions = new Map<number, Tally>();
  for (const line of reference) {
    const text = plain(line.text);
    const lost = Math.min(...readings.map((lines) => distanceWithin(text, textAt(line.box, lines))));
    const at = regionAt(line.box, source);
    const region = regions.get(at) ?? new Tally();
    regions.set(at, region);
    for (const tally of [whole, region]) tally.add(line.box, text.length, lost);
  }
  const worst = [...regions.values()]
    .filter(({ share }) => share < 1)
    .sort((a, b) => a.share - b.share)
    .slice(0, MOST_REGIONS)
    .map(({ region, share, characters }) => ({ region, share: rounded(share), characters }));
  const deciding = [...regions.values()].filter(({ characters }) => characters >= ENOUGH_CHARACTERS);
  return {
    share: rounded(whole.share),
    characters: whole.characters,
    worst,
    reaches: (atLeast) =>
      whole.share >= atLeast && deciding.every(({ share }) => share >= 1 - REGION_SLACK * (1 - atLeast)),
  };
}

class Tally {
  characters = 0;
  #lost = 0;
  #left = Number.POSITIVE_INFINITY;
  #top = Number.POSITIVE_INFINITY;
  #right = 0;
  #bottom = 0;

  add({ x, y, width, height }: Rect, characters: number, lost: number): void {
    this.#left = Math.min(this.#left, Math.floor(x));
    this.#top = Math.min(this.#top, Math.floor(y));
    this.#right = Math.max(this.#right, Math.ceil(x + width));
    this.#bottom = Math.max(this.#bottom, Math.ceil(y + height));
    this.characters += characters;
    this.#lost += lost;
  }

  get region(): Rect {
    return { x: this.#left, y: this.#top, width: this.#right - this.#left, height: this.#bottom - this.#top };
  }

  get share(): number {
    return this.characters === 0 ? 1 : 1 - this.#lost / this.characters;
  }
}

/** What was read where a line stands, from left to right: a reader may have cut the line, or joined it with others. */
function textAt(box: Rect, lines: readonly TextLine[]): string {
  const there = lines.filter((line) => isAt(box, line.box)).sort((a, b) => a.box.x - b.box.x);
  return plain(there.map(({ text }) => text).join(''));
}

/** Whether the middle of one stands in the row of the other, and they have a column in common. */
function isAt(a: Rect, b: Rect): boolean {
  const within = (middle: number, rect: Rect): boolean => middle >= rect.y && middle <= rect.y + rect.height;
  const sharesRow = within(a.y + a.height / 2, b) || within(b.y + b.height / 2, a);
  return sharesRow && a.x < b.x + b.width && b.x < a.x + a.width;
}

/** Readers lose spaces first, which nobody misses, and write some signs as wide as Chinese ones. */
const plain = (text: string): string => text.normalize('NFKC').replace(/\s+/g, '');

function regionAt({ x, y, width, height }: Rect, source: Size): number {
  const part = (middle: number, length: number, count: number): number =>
    Math.min(count - 1, Math.max(0, Math.floor((middle * count) / length)));
  return part(y + height / 2, source.height, ROWS) * COLUMNS + part(x + width / 2, source.width, COLUMNS);
}

const rounded = (share: number): number => Math.round(share * 1000) / 1000;
