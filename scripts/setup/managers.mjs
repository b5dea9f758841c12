import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasCommand } from './probe.mjs';

/** @import { Manager, Requirement } from './requirements.mjs' */

const LISTS_FOLDER = '/var/lib/apt/lists';
const LISTS_STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/** The commands of each package manager, and what a user of it has to know. */
const COMMANDS = {
  apt: {
    program: 'apt-get',
    refresh: ['apt-get', 'update'],
    install: ['apt-get', 'install', '-y', '--no-install-recommends'],
    note: undefined,
  },
  dnf: {
    program: 'dnf',
    refresh: undefined,
    install: ['dnf', 'install', '-y'],
    note: 'x264, libav and ffmpeg come from RPM Fusion: https://rpmfusion.org/Configuration',
  },
  pacman: {
    program: 'pacman',
    refresh: undefined,
    install: ['pacman', '-S', '--needed', '--noconfirm'],
    note: undefined,
  },
};

/** @returns {Manager | undefined} */
export function detectManager() {
  return Object.keys(COMMANDS).find((manager) => hasCommand(COMMANDS[manager].program));
}

/**
 * The package names that bring what is missing, each once, in the order of the table.
 *
 * @param {readonly Requirement[]} missing
 * @param {Manager} manager
 */
export function packagesFor(missing, manager) {
  return [...new Set(missing.flatMap(({ packages }) => packages[manager].split(' ')))];
}

/** True when apt has no package lists, as in a container image, or when they are over a day old. */
function areListsStale() {
  try {
    const times = readdirSync(LISTS_FOLDER)
      .filter((name) => /_Packages(\.\w+)?$/.test(name))
      .map((name) => statSync(join(LISTS_FOLDER, name)).ctimeMs);
    return times.length === 0 || Date.now() - Math.max(...times) > LISTS_STALE_AFTER_MS;
  } catch {
    return true;
  }
}

/**
 * The commands that install the packages, without sudo.
 *
 * @param {Manager} manager
 * @param {readonly string[]} packages
 * @returns {string[][]}
 */
export function installCommands(manager, packages) {
  const { refresh, install } = COMMANDS[manager];
  const first = refresh !== undefined && areListsStale() ? [refresh] : [];
  return [...first, [...install, ...packages]];
}

/**
 * What a person has to do to get what is missing, as a numbered list.
 *
 * @param {readonly Requirement[]} missing
 * @param {string} next the command to run afterwards
 */
export function instructions(missing, next) {
  const manager = detectManager();
  const steps = [];
  if (manager === undefined) {
    steps.push(
      ...missing.map(({ names, why, packages }) => `install ${names[0]} (${why}); Debian calls it ${packages.apt}`),
    );
  } else {
    const { note } = COMMANDS[manager];
    if (note !== undefined) steps.push(note);
    const prefix = process.getuid() === 0 ? '' : 'sudo ';
    for (const command of installCommands(manager, packagesFor(missing, manager))) {
      steps.push(prefix + command.join(' '));
    }
  }
  steps.push(next);
  return ['To go on, run:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)].join('\n');
}

/** One line for each package that is missing: its name and what it is for. */
export function describeMissing(missing) {
  const manager = detectManager() ?? 'apt';
  return missing.map(({ packages, why }) => `  ${packages[manager]}: ${why}`).join('\n');
}
