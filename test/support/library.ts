import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { type RunningProcess, start } from './process.js';
import { projectRoot } from './programs.js';

/** The library as another process can import it: compiled from the sources as they are now. */
export interface Library extends AsyncDisposable {
  /** Runs a module in a process of its own. `$lib/` in its imports is the library's folder, as `src/` is here. */
  run(code: string, ...args: readonly string[]): Promise<RunningProcess>;
}

/** Compiles src/ without checking types, beside links to what the compiled files look for. */
export async function buildLibrary(): Promise<Library> {
  const folder = await mkdtemp(join(tmpdir(), 'cap-library-'));
  const dist = join(folder, 'dist');
  for (const name of ['build', 'node_modules', 'presets', 'package.json']) {
    await symlink(join(projectRoot, name), join(folder, name));
  }
  const sources = await readdir(join(projectRoot, 'src'), { recursive: true });
  for (const name of sources.filter((one) => one.endsWith('.ts'))) {
    const { outputText } = ts.transpileModule(await readFile(join(projectRoot, 'src', name), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    const target = join(dist, name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, outputText);
  }
  let scripts = 0;
  return {
    run: async (code, ...args) => {
      scripts += 1;
      const script = join(folder, `script-${scripts}.mjs`);
      await writeFile(script, code.replaceAll('$lib', pathToFileURL(dist).href));
      return start(process.execPath, [script, ...args]);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
