import { spawnSync } from 'node:child_process';
import { SetupError } from './setup-error.mjs';

const LAST_LINES = 25;

/** Progress goes to the error stream: the output of the command that follows stays clean. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a command quietly; when it fails, the end of its output becomes the error.
 *
 * @param {readonly string[]} command
 * @param {string} title what is being done, for the error
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export function run(command, title, options = {}) {
  const [program, ...args] = command;
  const result = spawnSync(program, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  if (result.error === undefined && result.status === 0) return;
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
  throw new SetupError(`${title} failed: ${command.join(' ')}`, result.error?.message ?? output);
}
