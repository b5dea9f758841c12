import {
  CapError,
  expectInteger,
  expectKnownKeys,
  parseDuration,
  parseRegion,
  type Rect,
  unexpected,
} from '../core/index.js';
import { loadPreset, type Preset, STILLS_REACH_MS, type StillRequest } from '../session/index.js';

export type SnapshotFormat = 'jpg' | 'png' | 'webp';

/** What a snapshot's query asks for. */
export interface SnapshotQuery {
  readonly still: StillRequest;
  /** Undefined: the whole picture. */
  readonly region: Rect | undefined;
  /** Of a Gundam composite: a tile's number from 1, or the overview. */
  readonly view: number | 'global' | undefined;
  readonly preset: Preset | undefined;
  readonly widthPx: number | undefined;
  readonly quality: number;
}

const KEYS = ['max_age', 'at', 'preset', 'width', 'region', 'view', 'quality'] as const;
const DEFAULT_MAX_AGE_MS = 5000;
const DEFAULT_QUALITY = 85;
const MAX_AGE_BOUNDS_MS = [20, 3_600_000] as const;
const MAX_WIDTH_PX = 16_384;

/** Reads `?preset=p4&max_age=200ms`. @throws CAP_USAGE */
export function parseSnapshotQuery(query: URLSearchParams, format: SnapshotFormat): SnapshotQuery {
  const given = new Map(query);
  expectKnownKeys('a snapshot', Object.fromEntries(given), KEYS);
  const read = <Value>(key: (typeof KEYS)[number], parse: (text: string) => Value): Value | undefined => {
    const values = query.getAll(key);
    if (values.length > 1) throw unexpected(key, 'one value', values.join(' and '));
    return values[0] === undefined ? undefined : parse(values[0]);
  };
  refuseTogether(given, 'preset', 'width');
  refuseTogether(given, 'view', 'region');
  if (given.has('quality') && format === 'png') {
    throw new CapError('CAP_USAGE', 'quality is for jpg and webp', { hint: 'a png has every pixel as it is' });
  }
  return {
    still: { maxAgeMs: read('max_age', parseMaxAge) ?? DEFAULT_MAX_AGE_MS, agoMs: read('at', parseAt) },
    region: read('region', (text) => parseRegion(text) ?? refuse('region', 'a region such as 1280x720+100+50', text)),
    view: read('view', parseView),
    preset: read('preset', parsePreset),
    widthPx: read('width', (text) => expectInteger('width', toNumber(text), 2, MAX_WIDTH_PX)),
    quality: read('quality', (text) => expectInteger('quality', toNumber(text), 1, 100)) ?? DEFAULT_QUALITY,
  };
}

const toNumber = (text: string): number => (/^\d{1,9}$/.test(text) ? Number(text) : Number.NaN);

function refuse(name: string, expected: string, received: string): never {
  throw unexpected(name, expected, received);
}

function refuseTogether(given: ReadonlyMap<string, string>, one: string, other: string): void {
  if (given.has(one) && given.has(other)) {
    throw new CapError('CAP_USAGE', `${one} and ${other} exclude each other`, { hint: 'leave one out' });
  }
}

function parseMaxAge(text: string): number {
  const [min, max] = MAX_AGE_BOUNDS_MS;
  const maxAgeMs = parseDuration(text);
  if (maxAgeMs === undefined || maxAgeMs < min || maxAgeMs > max) {
    throw unexpected('max_age', `a duration such as 200ms or 5s, ${min}ms to 1h`, text);
  }
  return maxAgeMs;
}

/** `-5s` is five seconds ago, `0s` is now: a picture that is captured after the request came. */
function parseAt(text: string): number {
  const agoMs = parseDuration(text.replace(/^-/, ''));
  const isPast = text.startsWith('-') || agoMs === 0;
  if (agoMs === undefined || !isPast || agoMs > STILLS_REACH_MS) {
    throw unexpected('at', `0s for now, or a time ago such as -5s, up to -${STILLS_REACH_MS / 1000}s`, text);
  }
  return agoMs;
}

function parseView(text: string): number | 'global' | undefined {
  if (text === 'all') return undefined;
  if (text === 'global') return text;
  const tile = /^tile-([1-9])$/.exec(text);
  return tile ? Number(tile[1]) : refuse('view', 'all, global or a tile such as tile-1', text);
}

/** By name alone: a request may not have files read. */
function parsePreset(name: string): Preset {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(name)) throw unexpected('preset', 'the name of a preset, such as p4', name);
  return loadPreset(name);
}
