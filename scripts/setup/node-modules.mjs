import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, say } from './steps.mjs';

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * True when what npm last installed is what the lock file names. npm writes its hidden lock file
 * as the last thing, so an interrupted install counts as none.
 */
function isInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules/.package-lock.json'));
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    const there = installed[path];
    return there === undefined ? optional === true : there.version === version;
  });
}

/** Installs the npm packages exactly as locked, when they are not there yet. */
export function installNodeModules(root) {
  if (isInstalled(root)) return;
  say('Installing npm packages');
  // The compiler is among the development packages, which NODE_ENV=production would leave out.
  run(['npm', 'ci', '--include=dev', '--no-audit', '--no-fund'], 'npm ci', { cwd: root });
}
