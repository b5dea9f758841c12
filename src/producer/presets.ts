import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CapError, nearestName } from '../core/index.js';
import { type Preset, readNamedPresetFile, readPresetFile } from './preset-file.js';

export type { Preset } from './preset-file.js';

// src/producer and dist/producer are equally deep.
const BUILT_IN_FOLDER = fileURLToPath(new URL('../../presets/', import.meta.url));

interface Environment {
  readonly XDG_CONFIG_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/** Where a user's own presets are: `$XDG_CONFIG_HOME/cap/presets`, by default `~/.config/cap/presets`. */
export function userPresetFolder(env: Environment = process.env): string {
  const configured = env.XDG_CONFIG_HOME;
  // The XDG Base Directory Specification has relative paths ignored.
  const base = configured && isAbsolute(configured) ? configured : join(env.HOME ?? homedir(), '.config');
  return join(base, 'cap', 'presets');
}

/** The presets that come with the package, the largest result first. */
export function builtInPresets(): Preset[] {
  return presetNames(BUILT_IN_FOLDER)
    .map((name) => readNamedPresetFile(presetPath(BUILT_IN_FOLDER, name)))
    .sort((a, b) => a.factor - b.factor);
}

/** The user's own presets, sorted by factor; those with a built-in preset's name are never looked at. */
export function userPresets(env: Environment = process.env): Preset[] {
  const folder = userPresetFolder(env);
  const builtIn = presetNames(BUILT_IN_FOLDER);
  return presetNames(folder)
    .filter((name) => !builtIn.includes(name))
    .map((name) => readNamedPresetFile(presetPath(folder, name)))
    .sort((a, b) => a.factor - b.factor);
}

/**
 * Finds a preset: a path (it has a `/` or ends in `.json`) is read; a name is looked for among the
 * built-in presets and then in the user's folder. Throws CAP_USAGE for an unknown or malformed preset.
 */
export function loadPreset(nameOrPath: string, env: Environment = process.env): Preset {
  if (nameOrPath === 'auto') throw chosenByReader();
  if (nameOrPath.includes('/') || nameOrPath.endsWith('.json')) return readPresetFile(nameOrPath);
  const folders = [BUILT_IN_FOLDER, userPresetFolder(env)];
  const folder = folders.find((candidate) => presetNames(candidate).includes(nameOrPath));
  if (folder === undefined) throw unknownPreset(nameOrPath, env);
  return readNamedPresetFile(presetPath(folder, nameOrPath));
}

/** A stream has one size for all its readers, some of which pay for pixels and some of which do not. */
function chosenByReader(): CapError {
  return new CapError('CAP_USAGE', 'the scale preset "auto" is for those who show pictures to a model', {
    hint: 'stream at full size, and add --scale-preset auto to cap watch or cap describe',
  });
}

function unknownPreset(name: string, env: Environment): CapError {
  const builtIn = builtInPresets().map((preset) => preset.name);
  const known = [...new Set([...builtIn, ...presetNames(userPresetFolder(env))])];
  const nearest = nearestName(name, known);
  const question = nearest === undefined ? '' : `did you mean "${nearest}"? `;
  return new CapError('CAP_USAGE', `unknown scale preset "${name}"`, {
    hint: `${question}known presets: ${known.join(', ')}; or the path of a preset file`,
  });
}

function presetNames(folder: string): string[] {
  return filesOf(folder)
    .filter((file) => file.endsWith('.json') && file !== 'schema.json')
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new CapError('CAP_USAGE', `cannot read the preset folder ${folder}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

const presetPath = (folder: string, name: string): string => join(folder, `${name}.json`);
