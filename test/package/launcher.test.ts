import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PackageCopy } from '../support/package-copy.js';
import { type ProgramResult, runProgram } from '../support/process.js';

let copy: PackageCopy;

beforeEach(() => {
  copy = new PackageCopy(['package.json', 'bin']);
});

afterEach(() => copy.remove());

const start = (...args: string[]): Promise<ProgramResult> =>
  runProgram(process.execPath, [join(copy.path, 'bin/cap.mjs'), ...args]);

test('an uncompiled clone says in one line what to run', async () => {
  copy.write('tsconfig.build.json', '{}');
  expect(await start()).toEqual({
    code: 3,
    stdout: '',
    stderr: 'cap-gateway is not compiled; run: npm run setup\n',
  });
});

test('a clone without the native addon says in one line what to run', async () => {
  copy.write('tsconfig.build.json', '{}');
  copy.write('dist/cli/main.js', '');
  expect(await start()).toEqual({
    code: 3,
    stdout: '',
    stderr: "cap-gateway's native addon is not built; run: npm run setup\n",
  });
});

test('an installed package without the native addon names the command that builds it', async () => {
  copy.write('dist/cli/main.js', '');
  const { code, stderr } = await start();
  expect(code).toBe(3);
  const script = join(copy.path, 'scripts/install-native.mjs');
  expect(stderr).toBe(`cap-gateway's native addon is not built; run: node ${script}\n`);
});

test('the arguments reach main, and its result is the exit code', async () => {
  copy.write('build/Release/cap_native.node', '');
  copy.write('dist/cli/main.js', 'export const main = async (args) => { console.log(args.join("|")); return 7; };');
  expect(await start('--rtsp', 'a b')).toEqual({ code: 7, stdout: '--rtsp|a b\n', stderr: '' });
});
