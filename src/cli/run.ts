import { type Command, CommanderError } from 'commander';
import { type CapError, redact, toCapError } from '../core/index.js';
import { fromCommander } from './parse-options.js';

/** Parses and runs a program; prints an error as one line with its hint. Resolves to the exit code. */
export async function run(program: Command, args: readonly string[]): Promise<number> {
  configure(program);
  process.stdout.on('error', ignoreClosedPipe);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    const known = error instanceof CommanderError ? fromCommander(error) : toCapError(error);
    if (!known) return 0;
    process.stderr.write(`${redact(errorText(known))}\n`);
    return known.exitCode;
  }
}

function configure(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const child of command.commands) configure(child);
}

/** `cap … | head` closes our output: nobody reads on, which is no fault. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.kill(process.pid, 'SIGTERM');
}

function errorText(error: CapError): string {
  const hint = error.hint ? ` (${error.hint})` : '';
  // A defect of ours should arrive with where it happened.
  const trace = error.code === 'CAP_INTERNAL' && error.cause instanceof Error ? `\n${error.cause.stack}` : '';
  return `cap: ${error.message}${hint}${trace}`;
}
