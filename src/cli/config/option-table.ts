import type { Command, Option } from 'commander';
import { nearestName, toCapError } from '../../core/index.js';

import type { TomlFile } from './toml-file.js';

/**
 * Reads a table of a configuration file by the options of a command: each key is an option's long name without the
 * dashes, so that both have the same names, bounds and messages. `cursor = false` is `--no-cursor`.
 * @param prefix of options that the table's name says already: `port` in `[rtsp]` is `--rtsp-port`
 * @param tables in the table, which are read elsewhere
 * @throws CAP_USAGE with the line, for an unknown key or a value that the option refuses
 */
export function readOptionTable<Flags>(
  file: TomlFile,
  keys: readonly string[],
  command: Command,
  prefix = '',
  tables: readonly string[] = [],
): Flags {
  const options = new Map(command.options.map((option) => [keyOf(option).replace(prefix, ''), option]));
  const flags: Record<string, unknown> = {};
  for (const option of command.options) {
    if (option.defaultValue !== undefined) flags[option.attributeName()] = option.defaultValue;
    else if (option.negate) flags[option.attributeName()] = true;
  }
  const table = keys.reduce<unknown>((outer, key) => (outer as Record<string, unknown>)[key], file.root);
  for (const [key, value] of Object.entries(table as Record<string, unknown>)) {
    if (tables.includes(key)) continue;
    const option = options.get(key);
    if (!option) throw unknownKey(file, [...keys, key], key, [...options.keys(), ...tables]);
    flags[option.attributeName()] = readValue(file, [...keys, key], option, value, prefix);
  }
  return flags as Flags;
}

const keyOf = (option: Option): string => (option.long ?? '').replace(option.negate ? '--no-' : '--', '');

function unknownKey(file: TomlFile, path: readonly string[], key: string, known: readonly string[]): Error {
  const near = nearestName(key, known);
  return file.error(path, `unknown key "${key}"`, {
    hint: `${near ? `did you mean "${near}"? ` : ''}known keys: ${known.join(', ')}`,
  });
}

function readValue(file: TomlFile, path: readonly string[], option: Option, value: unknown, prefix: string): unknown {
  const key = path.at(-1);
  if (option.negate || option.isBoolean()) {
    if (typeof value !== 'boolean') throw file.error(path, `expected true or false for ${key}`);
    return value || option.negate ? value : undefined;
  }
  if (option.optional && value === true) return true;
  if (option.variadic) {
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
    throw file.error(path, `expected a list of texts for ${key}, such as ["…"]`);
  }
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw file.error(path, `expected a text or a number for ${key}`);
  }
  try {
    return option.parseArg ? option.parseArg(String(value), undefined) : String(value);
  } catch (error) {
    throw inFile(file, path, error, prefix);
  }
}

/** An error of an option, with its place, and the option named as in the file. */
export function inFile(file: TomlFile, path: readonly string[], error: unknown, prefix = ''): Error {
  const { message, hint } = toCapError(error);
  const named = (text: string): string =>
    text.replaceAll(`--${prefix}`, '--').replace(/(^|[\s(])--(?:no-)?([a-z])/g, '$1$2');
  return file.error(path, named(message), { ...(hint ? { hint: named(hint) } : {}), cause: error });
}
