import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PackageCopy } from '../support/package-copy.js';
import { type ProgramResult, runProgram, without } from '../support/process.js';

let copy: PackageCopy;

/** A machine with no command but Node and those that a test writes into bin/. */
beforeEach(() => {
  copy = new PackageCopy(['scripts']);
  copy.write('machine/.keep', '');
  symlinkSync(process.execPath, join(copy.path, 'machine/node'));
});

afterEach(() => copy.remove());

/** Runs a script as a user who is not root. */
function start(script: string, ...args: string[]): Promise<ProgramResult> {
  return runProgram(process.execPath, [join(copy.path, 'scripts', script), ...args], {
    cwd: copy.path,
    env: { ...without(/./), PATH: join(copy.path, 'machine') },
    unprivileged: true,
  });
}

function installProgram(name: string, script: string): void {
  copy.write(`machine/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
}

function numberedSteps(text: string): string[] {
  return text.split('\n').filter((line) => /^ {2}\d+\. /.test(line));
}

test.each([
  ['apt-get', /sudo apt-get install -y --no-install-recommends .*libgstrtspserver-1\.0-dev .*gstreamer1\.0-libav /],
  ['dnf', /sudo dnf install -y .*gstreamer1-rtsp-server-devel .*gstreamer1-plugin-libav /],
  ['pacman', /sudo pacman -S --needed --noconfirm .*gst-rtsp-server .*xorg-server-xvfb/],
])('without root, what is missing ends in a numbered list for %s', async (manager, command) => {
  installProgram(manager, 'exit 99');
  const { code, stdout, stderr } = await start('setup.mjs');
  expect(code).toBe(3);
  expect(stdout).toBe('');
  const steps = numberedSteps(stderr);
  expect(steps.join('\n')).toMatch(command);
  expect(steps.at(-1)).toMatch(/^ {2}\d+\. npm run setup$/);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('without a known package manager, the list names each thing and what it is for', async () => {
  const { code, stderr } = await start('setup.mjs');
  expect(code).toBe(3);
  expect(stderr).toContain(
    'install gstreamer-rtsp-server-1.0 (the RTSP server); Debian calls it libgstrtspserver-1.0-dev',
  );
});

test('what only the tests need is asked for only with --for test', async () => {
  const forRun = await start('setup.mjs');
  const forTest = await start('setup.mjs', '--for', 'test');
  expect(forRun.stderr).not.toContain('xdotool');
  expect(forTest.stderr).toContain('xdotool');
});

test('a password-free sudo is used, and only for the package manager', async () => {
  const log = copy.write('machine/log', '', 0o666);
  installProgram('apt-get', 'exit 0');
  installProgram('sudo', `echo "$*" >> ${log}`);
  const { code, stderr } = await start('setup.mjs');
  const calls = readFileSync(log, 'utf8').trimEnd().split('\n');
  expect(calls[0]).toBe('-n true');
  expect(calls.slice(1).every((call) => call.startsWith('env DEBIAN_FRONTEND=noninteractive apt-get '))).toBe(true);
  expect(calls.at(-1)).toMatch(/apt-get install -y --no-install-recommends .*xvfb/);
  expect(stderr).toContain('through sudo');
  // The stand-in installed nothing, and the set-up notices.
  expect(stderr).toContain('still missing');
  expect(code).toBe(3);
});

test('a package manager that fails shows the end of its output and what to run', async () => {
  installProgram('apt-get', 'exit 0');
  installProgram('sudo', 'case "$*" in *install*) echo "E: Unable to locate package"; exit 100;; esac');
  const { code, stderr } = await start('setup.mjs');
  expect(code).toBe(3);
  expect(stderr).toContain('E: Unable to locate package');
  expect(numberedSteps(stderr).length).toBeGreaterThan(1);
});

test('installing the package without its libraries ends in a numbered list, not in a compiler trace', async () => {
  installProgram('apt-get', 'exit 99');
  const { code, stderr } = await start('install-native.mjs');
  expect(code).toBe(3);
  expect(numberedSteps(stderr).join('\n')).toMatch(/apt-get install .*libgstreamer1\.0-dev/);
  expect(stderr).not.toContain('gyp ERR');
});

test('in a clone npm builds nothing by itself: the set-up does', async () => {
  copy.write('tsconfig.build.json', '{}');
  expect(await start('install-native.mjs')).toEqual({ code: 0, stdout: '', stderr: '' });
});
