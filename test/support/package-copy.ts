import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** A folder with copies of some of the repository's files; `write` adds others. */
export class PackageCopy {
  readonly path = mkdtempSync(join(tmpdir(), 'cap-package-'));

  constructor(files: readonly string[]) {
    // Another user may have to read it: see the tests that run without root.
    chmodSync(this.path, 0o755);
    for (const file of files) cpSync(join(ROOT, file), join(this.path, file), { recursive: true });
  }

  write(file: string, content: string, mode = 0o644): string {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
