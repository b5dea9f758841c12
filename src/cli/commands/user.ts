import type { Command } from 'commander';
import { CapError } from '../../core/index.js';
import { addUser, readUserFile, removeUser, rtspUser } from '../../session/index.js';
import { readPassword } from '../read-password.js';
import { textTable } from '../text-table.js';

interface Flags {
  readonly authFile: string;
  readonly path?: string[];
}

const LEAST_PASSWORD = 8;

/** Adds `cap user add|remove|list`: who may read what `cap --rtsp --auth-file` serves. */
export function registerUser(program: Command, stop: AbortSignal): void {
  const user = program.command('user').description('who may read a stream that asks for a login');
  const file = ['--auth-file <file>', 'the file of users, as for `cap --rtsp`'] as const;
  const repeated = (value: string, before: readonly string[] = []): string[] => [...before, value];
  user
    .command('add')
    .description('add a user or change the password, which is read from the terminal or from standard input')
    .argument('<name>')
    .requiredOption(...file)
    .option('--path <path>', 'let read this mount and what is below it alone; repeat for more', repeated)
    .action(async (name: string, { authFile, path }: Flags) => {
      rtspUser(name, ' '.repeat(LEAST_PASSWORD), path); // a wrong name or path is said before a password is asked for
      const password = await readPassword(`Password for ${name}: `, stop);
      if (password === undefined) return;
      if (password.length < LEAST_PASSWORD) {
        throw new CapError('CAP_USAGE', `expected a password of at least ${LEAST_PASSWORD} characters`);
      }
      await addUser(authFile, rtspUser(name, password, path));
    });
  user
    .command('remove')
    .description('remove a user')
    .argument('<name>')
    .requiredOption(...file)
    .action((name: string, { authFile }: Flags) => removeUser(authFile, name));
  user
    .command('list')
    .description('list the users and what they may read')
    .requiredOption(...file)
    .action(async ({ authFile }: Flags) => {
      const users = await readUserFile(authFile);
      const rows = users.map(({ name, paths }) => [name, paths.length > 0 ? paths.join(' ') : 'everything']);
      process.stdout.write(textTable([{ heading: 'USER' }, { heading: 'MAY READ' }], rows));
    });
}
