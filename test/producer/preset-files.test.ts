import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CapError } from '../../src/core/index.js';
import { readPresetFile } from '../../src/producer/preset-file.js';
import { type JsonSchema, schemaViolations } from '../support/json-schema.js';

const folder = new URL('../../presets/', import.meta.url);
const readJson = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
const schema = readJson('schema.json') as JsonSchema;
const files = readdirSync(folder).filter((file) => file !== 'schema.json');

describe('the files in presets/', () => {
  test('are the five presets', () => {
    expect(files.sort()).toEqual(['p10_24.json', 'p2_56.json', 'p4.json', 'p6_9.json', 'p9.json']);
  });

  test.each(files)('%s follows the schema', (file) => {
    expect(schemaViolations(schema, readJson(file))).toEqual([]);
  });

  test.each(files)('%s divides by the number in its name', (file) => {
    const { name, factor } = readJson(file) as { name: string; factor: number };
    expect(`${name}.json`).toBe(file);
    expect(factor).toBe(Number(name.slice(1).replace('_', '.')));
  });
});

describe('a preset file', () => {
  let scratch: string;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'cap-presets-'));
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  function fileWith(text: string): string {
    const path = join(scratch, 'mine.json');
    writeFileSync(path, text);
    return path;
  }

  function errorOf(path: string): CapError {
    try {
      readPresetFile(path);
    } catch (error) {
      if (error instanceof CapError) return error;
      throw error;
    }
    throw new Error(`${path} was accepted`);
  }

  const good: readonly object[] = [
    { name: 'mine', factor: 1 },
    { name: 'A.b_c-9', factor: 1024, maxLongSide: 16 },
    { name: 'x'.repeat(32), factor: 2.5, maxLongSide: 16384 },
    { $schema: './schema.json', name: 'mine', factor: 3 },
  ];

  test.each(good)('is accepted by the schema and the reader: %j', (content) => {
    expect(schemaViolations(schema, content)).toEqual([]);
    expect(readPresetFile(fileWith(JSON.stringify(content)))).toMatchObject({
      name: (content as { name: string }).name,
      factor: (content as { factor: number }).factor,
    });
  });

  test('gives its maxLongSide in pixels', () => {
    const path = fileWith('{ "name": "mine", "factor": 2, "maxLongSide": 800 }');
    expect(readPresetFile(path)).toEqual({ name: 'mine', factor: 2, maxLongSidePx: 800 });
  });

  const bad: readonly (readonly [field: string, content: unknown])[] = [
    ['name', { factor: 4 }],
    ['name', { name: '', factor: 4 }],
    ['name', { name: 'a b', factor: 4 }],
    ['name', { name: 'x'.repeat(33), factor: 4 }],
    ['name', { name: 'source', factor: 4 }],
    ['name', { name: 'gundam', factor: 4 }],
    ['name', { name: ['mine'], factor: 4 }],
    ['factor', { name: 'mine' }],
    ['factor', { name: 'mine', factor: '4' }],
    ['factor', { name: 'mine', factor: 0.5 }],
    ['factor', { name: 'mine', factor: 1025 }],
    ['factor', { name: 'mine', factor: null }],
    ['maxLongSide', { name: 'mine', factor: 4, maxLongSide: 15 }],
    ['maxLongSide', { name: 'mine', factor: 4, maxLongSide: 100.5 }],
    ['maxLongSide', { name: 'mine', factor: 4, maxLongSide: 16385 }],
    ['maxLongSide', { name: 'mine', factor: 4, maxLongSide: {} }],
    ['$schema', { $schema: 1, name: 'mine', factor: 4 }],
    ['colour', { name: 'mine', factor: 4, colour: 'red' }],
    ['the preset', []],
    ['the preset', null],
    ['the preset', 'p4'],
  ];

  test.each(bad)('is refused by the schema and the reader for its %s: %j', (field, content) => {
    const path = fileWith(JSON.stringify(content));
    expect(schemaViolations(schema, content)).not.toEqual([]);
    const error = errorOf(path);
    expect(error.code).toBe('CAP_USAGE');
    expect(error.message).toContain(path);
    expect(error.message).toContain(field);
    expect(error.message).not.toContain('\n');
  });

  test('that is no JSON, or no file, is named in one line', () => {
    const broken = errorOf(fileWith('{ "name": "mine",\n "factor": }\n'));
    expect(broken.message).toMatch(/mine\.json is not JSON: [^\n]+$/);
    const missing = errorOf(join(scratch, 'none.json'));
    expect(missing.message).toMatch(/none\.json: no such file$/);
    expect(errorOf(scratch).code).toBe('CAP_USAGE');
  });
});
