import type { Command } from 'commander';
import { repairSound } from '../../session/index.js';

/** Adds `cap repair`: takes away what a capture that was killed had left. */
export function registerRepair(program: Command): void {
  program
    .command('repair')
    .description('put back the sound of applications whose capture was killed')
    .option('--json', 'print JSON')
    .action(async ({ json }: { readonly json?: true }) => {
      const repair = await repairSound();
      if (json) return void process.stdout.write(`${JSON.stringify(repair)}\n`);
      const { removed, putBack } = repair;
      for (const name of putBack) process.stdout.write(`${printable(name)} plays on the default output again\n`);
      for (const sink of removed) process.stdout.write(`${sink} was removed\n`);
      if (removed.length === 0) process.stdout.write('There is nothing to repair\n');
    });
}

/** Names come from other programs: no control character of theirs reaches the terminal. */
const printable = (name: string): string => name.replace(/\p{Cc}/gu, ' ');
