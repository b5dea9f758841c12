import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, readStamp, writeStamp } from './stamp.mjs';
import { run, say } from './steps.mjs';

/** Compiles src/ to dist/ when it changed since the last time. */
export function buildTypeScript(root) {
  const stamp = join(root, 'build/typescript.stamp');
  const wanted = fingerprint(root, ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']);
  if (existsSync(join(root, 'dist/index.js')) && readStamp(stamp) === wanted) return;
  say('Compiling TypeScript');
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  run([process.execPath, compiler, '-p', 'tsconfig.build.json'], 'The TypeScript build', { cwd: root });
  writeStamp(stamp, wanted);
}
