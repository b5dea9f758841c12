import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { CapError, unexpected } from '../core/index.js';

/** What a preset file says (presets/schema.json). */
export interface Preset {
  /** 1 to 32 of the characters A-Z a-z 0-9 _ . - and not `source`, `gundam` or `auto`. */
  readonly name: string;
  /** The pixel count is divided by this number, 1 to 1024. */
  readonly factor: number;
  /** The result's longer side is at most this many pixels, 16 to 16384. @default no limit */
  readonly maxLongSidePx?: number;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;
const RESERVED = ['source', 'gundam', 'auto'];
const FIELDS = ['$schema', 'name', 'factor', 'maxLongSide'];

/** Reads and checks a preset file; CAP_USAGE names the file and the field that is wrong. */
export function readPresetFile(path: string): Preset {
  return checkPreset(path, parseJson(path, readText(path)));
}

/** Reads a preset file that was found by its name, which must also be the name inside. */
export function readNamedPresetFile(path: string): Preset {
  const preset = readPresetFile(path);
  const fileName = basename(path, '.json');
  if (preset.name !== fileName)
    throw unexpected(`name in ${path}`, `"${fileName}", as its file is named,`, preset.name);
  return preset;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'no such file' : (error as Error).message;
    throw new CapError('CAP_USAGE', `cannot read the preset ${path}: ${reason}`, { cause: error });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, ' ');
    throw new CapError('CAP_USAGE', `the preset ${path} is not JSON: ${reason}`, { cause: error });
  }
}

function checkPreset(path: string, content: unknown): Preset {
  const wrong = (field: string, expected: string, value: unknown) =>
    unexpected(`${field} in ${path}`, expected, typeof value === 'object' ? JSON.stringify(value) : value);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw wrong('the preset', 'an object', content);
  }
  const unknownField = Object.keys(content).find((field) => !FIELDS.includes(field));
  if (unknownField !== undefined) {
    throw new CapError('CAP_USAGE', `unknown field "${unknownField}" in ${path}`, {
      hint: `known fields: ${FIELDS.join(', ')}`,
    });
  }
  const { $schema, name, factor, maxLongSide } = content as Record<string, unknown>;
  if ($schema !== undefined && typeof $schema !== 'string') throw wrong('$schema', 'a text', $schema);
  if (typeof name !== 'string' || !NAME.test(name) || RESERVED.includes(name)) {
    throw wrong('name', `1 to 32 letters, digits, "_", "." or "-", other than ${RESERVED.join(', ')},`, name);
  }
  if (typeof factor !== 'number' || !(factor >= 1 && factor <= 1024)) {
    throw wrong('factor', 'a number from 1 to 1024', factor);
  }
  if (maxLongSide === undefined) return { name, factor };
  if (typeof maxLongSide !== 'number' || !Number.isInteger(maxLongSide) || maxLongSide < 16 || maxLongSide > 16384) {
    throw wrong('maxLongSide', 'a whole number from 16 to 16384', maxLongSide);
  }
  return { name, factor, maxLongSidePx: maxLongSide };
}
