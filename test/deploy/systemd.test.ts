import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildCommands, commandPath, runCap } from '../support/cap.js';
import { start } from '../support/process.js';

beforeAll(buildCommands);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-units-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const unitPath = (name: string): string => resolve(import.meta.dirname, '../../deploy/systemd', name);

async function analyze(...args: string[]): Promise<{ code: number | null; output: string }> {
  const env = { XDG_RUNTIME_DIR: folder, SYSTEMD_LOG_COLOR: '0' };
  await using program = start('systemd-analyze', args, { env });
  const { code } = await program.waitForExit();
  return { code, output: program.stdout + program.stderr };
}

/** The unit with cap where it is here. */
function installed(name: string): string {
  const path = join(folder, 'cap.service');
  writeFileSync(path, readFileSync(unitPath(name), 'utf8').replaceAll('/usr/bin/cap', commandPath('cap')));
  return path;
}

test.each([
  ['cap.service', []],
  ['user/cap.service', ['--user']],
])('systemd understands all of %s', async (name, mode) => {
  expect(await analyze(...mode, 'verify', '--man=no', installed(name))).toEqual({ code: 0, output: '' });
});

test('the unit gives the gateway little to do harm with', async () => {
  // Of 100; an unprotected service has 96.
  const { code, output } = await analyze('security', '--offline=true', '--threshold=25', installed('cap.service'));
  expect(code, output).toBe(0);
});

test.each(['cap.service', 'user/cap.service'])('%s says what cap understands', async (name) => {
  const unit = readFileSync(unitPath(name), 'utf8');
  const missing = join(folder, 'none.toml');
  for (const key of ['ExecStart', 'ExecStartPre']) {
    const [, command = ''] = new RegExp(`^${key}=/usr/bin/cap (.*)$`, 'm').exec(unit) ?? [];
    const result = await runCap(command.replace(/\S+\.toml/, missing).split(' '));
    expect(result.stderr).toContain(`cannot read ${missing}`);
    expect(unit).toContain(`RestartPreventExitStatus=${result.code}\n`);
  }
});
