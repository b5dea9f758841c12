import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CapError } from '../../src/core/index.js';
import { builtInPresets, loadPreset, userPresetFolder, userPresets } from '../../src/producer/presets.js';

let configHome: string;
beforeEach(() => {
  configHome = mkdtempSync(join(tmpdir(), 'cap-config-'));
});
afterEach(() => rmSync(configHome, { recursive: true, force: true }));

const env = () => ({ XDG_CONFIG_HOME: configHome, HOME: '/nonexistent' });

function writeUserPreset(file: string, content: object): string {
  const folder = userPresetFolder(env());
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), JSON.stringify(content));
  return join(folder, file);
}

function loadError(nameOrPath: string): CapError {
  try {
    loadPreset(nameOrPath, env());
  } catch (error) {
    if (error instanceof CapError) return error;
    throw error;
  }
  throw new Error(`${nameOrPath} was accepted`);
}

describe('loadPreset', () => {
  test('finds the built-in presets by name', () => {
    expect(loadPreset('p4', env())).toEqual({ name: 'p4', factor: 4 });
    expect(builtInPresets().map(({ name }) => name)).toEqual(['p2_56', 'p4', 'p6_9', 'p9', 'p10_24']);
  });

  test('reads a path, relative or absolute', () => {
    const path = join(configHome, 'mine.json');
    writeFileSync(path, '{ "name": "tiny", "factor": 30.25, "maxLongSide": 400 }');
    expect(loadPreset(path, env())).toEqual({ name: 'tiny', factor: 30.25, maxLongSidePx: 400 });
    expect(loadPreset('./presets/p9.json', env())).toEqual({ name: 'p9', factor: 9 });
    expect(loadError('none.json').message).toBe('cannot read the preset none.json: no such file');
  });

  test('finds a preset of the user by name', () => {
    writeUserPreset('half.json', { name: 'half', factor: 2 });
    writeUserPreset('big.json', { name: 'big', factor: 1.5 });
    expect(loadPreset('half', env())).toEqual({ name: 'half', factor: 2 });
    expect(userPresets(env()).map(({ name }) => name)).toEqual(['big', 'half']);
  });

  test('keeps a built-in name for the built-in preset', () => {
    writeUserPreset('p4.json', { name: 'p4', factor: 100 });
    expect(loadPreset('p4', env()).factor).toBe(4);
    expect(userPresets(env())).toEqual([]);
  });

  test('refuses a preset found by a name that is not the one inside', () => {
    const path = writeUserPreset('half.json', { name: 'quarter', factor: 4 });
    const error = loadError('half');
    expect(error.message).toBe(`expected "half", as its file is named, for name in ${path}, received "quarter"`);
  });

  test('names the known presets and the nearest for an unknown one', () => {
    writeUserPreset('terminal.json', { name: 'terminal', factor: 2 });
    const error = loadError('p2.56');
    expect(error.code).toBe('CAP_USAGE');
    expect(error.message).toBe('unknown scale preset "p2.56"');
    expect(error.hint).toContain('did you mean "p2_56"?');
    for (const name of ['p2_56', 'p4', 'p6_9', 'p9', 'p10_24', 'terminal']) expect(error.hint).toContain(name);
    expect(loadError('P4').hint).toContain('did you mean "p4"?');
    expect(loadError('termnal').hint).toContain('did you mean "terminal"?');
    expect(loadError('schema').hint).not.toContain('did you mean');
  });

  test('a user folder that is a file is one clear error', () => {
    mkdirSync(join(configHome, 'cap'));
    writeFileSync(join(configHome, 'cap', 'presets'), '');
    expect(loadError('half').message).toContain(join(configHome, 'cap', 'presets'));
    expect(loadPreset('p4', env()).factor).toBe(4);
  });
});

describe('userPresetFolder', () => {
  test('follows XDG_CONFIG_HOME when it is absolute, else ~/.config', () => {
    expect(userPresetFolder({ XDG_CONFIG_HOME: '/c', HOME: '/h' })).toBe('/c/cap/presets');
    expect(userPresetFolder({ XDG_CONFIG_HOME: 'c', HOME: '/h' })).toBe('/h/.config/cap/presets');
    expect(userPresetFolder({ HOME: '/h' })).toBe('/h/.config/cap/presets');
  });
});
