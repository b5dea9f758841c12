import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CapError, ERROR_CODES, type ErrorCode, toCapError } from '../../src/core/index.js';

const ROOT = resolve(import.meta.dirname, '../..');
const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** The rows of docs/errors.md that begin with a code. */
function documented(): { code: string; exitCode: number; meaning: string; whatToDo: string }[] {
  const lines = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, code, exitCode, meaning = '', whatToDo = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (!/^`CAP_/.test(code ?? '')) return [];
    return [{ code: (code ?? '').replaceAll('`', ''), exitCode: Number(exitCode), meaning, whatToDo }];
  });
}

describe('docs/errors.md', () => {
  test('has every code with its exit code, once and in order, and no other', () => {
    expect(documented().map(({ code, exitCode }) => [code, exitCode])).toEqual(Object.entries(ERROR_CODES));
  });

  test.each(documented())('says what $code means and what to do', ({ meaning, whatToDo }) => {
    for (const text of [meaning, whatToDo]) expect(text).toMatch(/^\S.{20,}\.$/);
  });

  test('names options and commands that there are', () => {
    const text = documented()
      .map(({ whatToDo }) => whatToDo)
      .join(' ');
    const sources = [
      'capture-options',
      'model-options',
      'record-options',
      'spending-options',
      'rtsp-options',
      'commands/capture',
      'commands/watch',
    ].map((name) => readFileSync(join(ROOT, `src/cli/${name}.ts`), 'utf8'));
    const options = [...new Set(text.match(/--[a-z-]+/g))].filter((option) => option !== '--help');
    expect(options.length).toBeGreaterThan(3);
    for (const option of options)
      expect(
        sources.some((source) => source.includes(`'${option} <`) || source.includes(`'${option}'`)),
        option,
      ).toBe(true);
  });
});

test('no two codes share an exit code, and none takes those of success and of signals', () => {
  const exitCodes = Object.values(ERROR_CODES);
  expect(new Set(exitCodes).size).toBe(exitCodes.length);
  for (const exitCode of exitCodes) expect(exitCode > 0 && exitCode < 126).toBe(true);
});

test('every code is used', () => {
  const folder = join(ROOT, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const others = files.filter((file) => file.endsWith('.ts') && file !== 'core/errors.ts');
  const sources = others.map((file) => readFileSync(join(folder, file), 'utf8')).join('');
  // The table's own file raises the first and the last.
  const unused = CODES.filter((code) => !sources.includes(`'${code}'`));
  expect(unused.filter((code) => code !== 'CAP_INTERNAL' && code !== 'CAP_CLOSED')).toEqual([]);
});

describe('toCapError', () => {
  test('leaves a CapError as it is, and makes a defect of anything else', () => {
    const known = new CapError('CAP_USAGE', 'no');
    expect(toCapError(known)).toBe(known);
    const cause = new TypeError('x is not a function');
    expect(toCapError(cause)).toMatchObject({ code: 'CAP_INTERNAL', message: cause.message, cause, exitCode: 1 });
    expect(toCapError('odd')).toMatchObject({ code: 'CAP_INTERNAL', message: 'odd' });
  });

  test('takes the first error when closing failed as well', async () => {
    const first = new CapError('CAP_SOURCE_LOST', 'the window was closed');
    const closing = new CapError('CAP_OUTPUT_FAILED', 'the disk is full');
    const failTwice = async () => {
      await using _owner = { [Symbol.asyncDispose]: () => Promise.reject(closing) };
      throw first;
    };
    expect(toCapError(await failTwice().catch((error: unknown) => error))).toBe(first);
  });
});
