import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CapError } from '../../core/index.js';

/** Keeps a folder to this process; the result gives it back. One whose process was killed is taken over. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  for (let tries = 0; ; tries += 1) {
    try {
      await writeFile(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (tries > 0 || isAlive(owner)) {
      throw new CapError('CAP_OUTPUT_FAILED', `another process, ${owner}, keeps a ledger in ${folder}`, {
        hint: 'choose another folder',
      });
    }
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
