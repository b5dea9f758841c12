import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProgramResult, runProgram, without } from '../support/process.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PACK_AND_INSTALL_TIMEOUT_MS = 600_000;

let folder: string;
let files: readonly string[];

/** npm as a user calls it: without what the npm that runs these tests put into the environment. */
function npm(...args: string[]): Promise<ProgramResult> {
  return runProgram('npm', args, { cwd: ROOT, env: without(/^npm_/i), timeoutMs: PACK_AND_INSTALL_TIMEOUT_MS });
}

function installed(command: string, ...args: string[]): Promise<ProgramResult> {
  return runProgram(join(folder, 'bin', command), args, { cwd: folder });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-tarball-'));
  const packed = await npm('pack', '--json', '--silent', '--pack-destination', folder);
  expect(packed.code, packed.stderr).toBe(0);
  const [tarball] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
  files = tarball.files.map(({ path }) => path);
  const install = await npm('install', '--global', '--prefix', folder, join(folder, tarball.filename));
  expect(install.code, install.stderr).toBe(0);
}, PACK_AND_INSTALL_TIMEOUT_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the tarball has what running needs and no sources of the tests', () => {
  expect(files).toEqual(
    expect.arrayContaining(['LICENSE', 'CHANGELOG.md', 'binding.gyp', 'bin/cap.mjs', 'dist/index.js']),
  );
  expect(files.filter((path) => /^(src|test|build|node_modules)\//.test(path))).toEqual([]);
});

test('cap --version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const result = await installed('cap', '--version');
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(version) });
});

test('cap presets finds the presets that came with it', async () => {
  const { code, stdout, stderr } = await installed('cap', 'presets', '--source', '1920x1080', '--json');
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toHaveLength(5);
});

test('rtsp-demo --help runs', async () => {
  const { code, stdout, stderr } = await installed('rtsp-demo', '--help');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('--width');
});

test('the native addon was built on installation and loads', async () => {
  const addon = join(folder, 'lib/node_modules/cap-gateway/build/Release/cap_native.node');
  const { code, stderr } = await runProgram(process.execPath, ['-e', 'require(process.argv[1])', addon]);
  expect(code, stderr).toBe(0);
});
