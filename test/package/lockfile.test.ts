import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const REGISTRY = 'https://registry.npmjs.org/';

interface LockedPackage {
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function lockedPackages(): Readonly<Record<string, LockedPackage>> {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
}

test('the lock file names no registry but the public one', () => {
  const foreign = Object.entries(lockedPackages()).filter(
    ([, { resolved }]) => resolved !== undefined && !resolved.startsWith(REGISTRY),
  );
  expect(foreign).toEqual([]);
  expect(readFileSync(join(ROOT, '.npmrc'), 'utf8')).not.toMatch(/registry\s*=\s*http/);
});

// Without them `npm ci` refuses the lock file, and a machine of another architecture cannot install.
test('the lock file has every optional package, also those of other platforms', () => {
  const locked = lockedPackages();
  const absent = Object.entries(locked).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => locked[`node_modules/${name}`] === undefined && locked[`${path}/node_modules/${name}`] === undefined,
    ),
  );
  expect(absent).toEqual([]);
});

// npm removes or refuses packages whose script fails, and newer ones ask before they run any.
test('no dependency has an install script', () => {
  const withScript = Object.entries(lockedPackages()).filter(([path, entry]) => path !== '' && entry.hasInstallScript);
  expect(withScript.map(([path]) => path)).toEqual([]);
});
