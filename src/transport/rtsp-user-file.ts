import { access, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { CapError, type Logger, silentLogger } from '../core/index.js';
import { formatUser, parseUsers, type RtspUser } from './rtsp-users.js';

const MAX_BYTES = 1 << 20;

/** Reads a user file. Warns when others may read it: a hash is all that a login takes. @throws CAP_USAGE */
export async function readUserFile(path: string, logger: Logger = silentLogger): Promise<RtspUser[]> {
  try {
    const { mode, size } = await stat(path);
    if (size > MAX_BYTES) throw new CapError('CAP_USAGE', `${path} is too large for a user file`);
    if ((mode & 0o077) !== 0) logger.warn(`${path} can be read by others: chmod 600 ${path}`);
    return parseUsers(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof CapError) throw error;
    const reason = isMissing(error) ? 'no such file' : 'not readable';
    throw new CapError('CAP_USAGE', `cannot read the users in ${path}: ${reason}`, {
      hint: 'cap user add makes one',
      cause: error,
    });
  }
}

/** Adds a user to a file, or replaces the one of that name. The file is made when it is not there. */
export async function addUser(path: string, user: RtspUser): Promise<void> {
  const there = await access(path).then(
    () => true,
    (error) => !isMissing(error),
  );
  const users = there ? await readUserFile(path) : [];
  const at = users.findIndex(({ name }) => name === user.name);
  users.splice(at < 0 ? users.length : at, at < 0 ? 0 : 1, user);
  await write(path, users);
}

/** @throws CAP_USAGE when there is no such user */
export async function removeUser(path: string, name: string): Promise<void> {
  const users = await readUserFile(path);
  const others = users.filter((user) => user.name !== name);
  if (others.length === users.length) throw new CapError('CAP_USAGE', `there is no user ${name} in ${path}`);
  await write(path, others);
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Whoever reads it meanwhile sees the old file or the new one, and nobody else's eyes see either. */
async function write(path: string, users: readonly RtspUser[]): Promise<void> {
  const draft = `${path}.${process.pid}`;
  try {
    await writeFile(draft, users.map((user) => `${formatUser(user)}\n`).join(''), { mode: 0o600 });
    await rename(draft, path);
  } catch (cause) {
    throw new CapError('CAP_OUTPUT_FAILED', `cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}
