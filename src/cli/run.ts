import { type Command, CommanderError } from 'commander';
import { type CapError, redact, toCapError } from '../core/index.js';
import { errorText } from './error-text.js';
import { fromCommander } from './parse-options.js';

/** Parses and runs a program; prints an error as one line with its hint. Resolves to the exit code. */
export async function run(program: Command, args: readonly string[]): Promise<number> {
  configure(program);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endWhenNobodyReads);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    const known = error instanceof CommanderError ? fromCommander(error) : toCapError(error);
    if (!known) return 0;
    process.stderr.write(`${redact(report(known))}\n`);
    return known.exitCode;
  }
}

function configure(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const child of command.commands) configure(child);
}

let nobodyReads = false;

/** `cap … | head` closes our output, a terminal that is closed takes it along: no fault, but the end. */
function endWhenNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  // Every write that follows fails too, and a second signal would not wait for the end.
  if (nobodyReads) return;
  nobodyReads = true;
  process.kill(process.pid, 'SIGTERM');
}

function report(error: CapError): string {
  // A defect of ours should arrive with where it happened.
  const trace = error.code === 'CAP_INTERNAL' && error.cause instanceof Error ? `\n${error.cause.stack}` : '';
  return `cap: ${errorText(error)}${trace}`;
}
