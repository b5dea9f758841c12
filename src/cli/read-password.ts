import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CapError } from '../core/index.js';

/** A line from the terminal, which does not show it, or from a pipe. Undefined when `stop` came first. */
export async function readPassword(prompt: string, stop: AbortSignal): Promise<string | undefined> {
  const terminal = process.stdin.isTTY === true;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal, signal: stop });
  // The terminal is in raw mode: Ctrl-C is a character, which the launcher would not hear of.
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  if (terminal) process.stderr.write(prompt);
  try {
    for await (const line of lines) return line;
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    lines.close();
    if (terminal) process.stderr.write('\n');
  }
  if (stop.aborted) return undefined;
  throw new CapError('CAP_USAGE', 'expected a password on standard input');
}
