import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');

export interface CompiledSources extends AsyncDisposable {
  /** Path of a compiled file by its source's path below `src/`: `consumer/index.ts`. */
  file(source: string): string;
}

/**
 * Compiles folders of `src/` to JavaScript in a folder of its own, for what has to run in another process.
 * It lies in node_modules, where the packages are found from it. Types are not checked.
 */
export async function compileSources(folders: readonly string[]): Promise<CompiledSources> {
  const out = await mkdtemp(join(ROOT, 'node_modules/.cap-compiled-'));
  const file = (source: string): string => join(out, source.replace(/\.ts$/, '.js'));
  for (const folder of folders) {
    const names = await readdir(join(ROOT, 'src', folder), { recursive: true });
    for (const name of names.filter((one) => one.endsWith('.ts') && !one.endsWith('.d.ts'))) {
      const source = await readFile(join(ROOT, 'src', folder, name), 'utf8');
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
      });
      const target = file(join(folder, name));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, outputText);
    }
  }
  await writeFile(join(out, 'package.json'), '{ "type": "module" }');
  return { file, [Symbol.asyncDispose]: () => rm(out, { recursive: true, force: true }) };
}
