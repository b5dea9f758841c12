import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.js';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The path of a program of test/programs, compiled first when it is not up to date: the C files of its folder, and
 * those that all programs share.
 * @param packages for pkg-config
 * @param flags such as `-shared`, for what is no program
 */
export async function testProgram(
  name: string,
  packages: readonly string[],
  flags: readonly string[] = [],
): Promise<string> {
  const shared = join(ROOT, 'test/programs');
  const files = [shared, join(shared, name)].flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => /\.[ch]$/.test(file))
      .map((file) => join(folder, file)),
  );
  const target = join(ROOT, `build/test/${name}`);
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (existsSync(target) && statSync(target).mtimeMs > newest) return target;
  mkdirSync(join(ROOT, 'build/test'), { recursive: true });
  const { stdout } = await run('pkg-config', ['--cflags', '--libs', ...packages]);
  const partial = `${target}.${process.pid}`;
  const code = files.filter((file) => file.endsWith('.c'));
  const libraries = stdout.trim().split(/\s+/);
  await run('cc', ['-std=gnu11', '-O2', '-Wall', '-Wextra', ...flags, '-o', partial, ...code, ...libraries]);
  renameSync(partial, target); // at once, for whoever builds the same at the same time
  return target;
}
