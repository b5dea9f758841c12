import { spawnSync } from 'node:child_process';
import { describeMissing, detectManager, installCommands, instructions, packagesFor } from './managers.mjs';
import { findMissing, hasCommand } from './probe.mjs';
import { SetupError } from './setup-error.mjs';
import { run, say } from './steps.mjs';

/** How to become root: nothing to add, sudo, or undefined when there is no way. */
function rootPrefix() {
  if (process.getuid() === 0) return [];
  if (!hasCommand('sudo')) return undefined;
  const isPasswordless = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  return isPasswordless || process.stdin.isTTY ? ['sudo'] : undefined;
}

/**
 * Installs the system packages that are missing.
 *
 * @param {readonly import('./requirements.mjs').Requirement[]} requirements
 * @param {string} next the command to run again when a person has to install something
 */
export function installSystemPackages(requirements, next) {
  const missing = findMissing(requirements);
  if (missing.length === 0) return;
  const manager = detectManager();
  const prefix = rootPrefix();
  if (manager === undefined || prefix === undefined) {
    const reason = manager === undefined ? 'no known package manager here' : 'this needs root';
    throw new SetupError(
      `System packages are missing (${reason}):`,
      `${describeMissing(missing)}\n${instructions(missing, next)}`,
    );
  }
  const packages = packagesFor(missing, manager);
  say(`Installing system packages with ${manager}${prefix.length > 0 ? ', through sudo' : ''}:`);
  say(describeMissing(missing));
  try {
    for (const command of installCommands(manager, packages)) {
      run([...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...command], command.slice(0, 2).join(' '));
    }
  } catch (error) {
    error.details += `\n\n${instructions(missing, next)}`;
    throw error;
  }
  const still = findMissing(requirements);
  if (still.length > 0) {
    throw new SetupError(
      'These are still missing after their packages were installed:',
      still.map(({ names, packages }) => `  ${names.join(', ')} (${packages[manager]})`).join('\n'),
    );
  }
}
