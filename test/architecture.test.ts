import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** Which other folders of src/ a folder may import; core is free to all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  native: ['core'],
  producer: ['core', 'native'],
  transport: ['core', 'native'],
  consumer: ['core', 'native'],
  session: ['core', 'producer', 'transport', 'consumer'],
  server: ['core', 'session'],
  gateway: ['core', 'session', 'server'],
  mcp: ['core', 'consumer', 'session', 'server'],
  cli: ['core', 'session', 'server', 'gateway', 'mcp'],
};
const FOLDERS = Object.keys(MAY_IMPORT);
const ROOT = resolve(import.meta.dirname, '..');

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string; readonly start: { readonly line: number } };
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-architecture-'));
  copyFileSync(join(ROOT, 'biome.json'), join(folder, 'biome.json'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, lines: readonly string[]): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), `${lines.join('\n')}\n`);
}

/** What the linter refuses under the project's own configuration, as `path:line`. */
async function refusals(rule: string): Promise<string[]> {
  const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const args = [
    biome,
    'lint',
    '--vcs-enabled=false',
    `--only=${rule}`,
    '--reporter=json',
    '--max-diagnostics=none',
    '.',
  ];
  const output = await new Promise<string>((done) => {
    execFile(process.execPath, args, { cwd: folder, encoding: 'utf8' }, (_error, stdout) => done(stdout));
  });
  const { diagnostics } = JSON.parse(output) as { diagnostics: readonly Diagnostic[] };
  return diagnostics
    .filter(({ category }) => category.endsWith(`/${rule}`))
    .map(({ location }) => `${location.path}:${location.start.line}`);
}

test('src/ holds the folders of the table and no other', () => {
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).filter((name) => !FOLDERS.includes(name))).toEqual([]);
});

test.each([
  ['a static import', (path: string) => `import '${path}';`],
  ['a type import', (path: string) => `import type { Thing } from '${path}';`],
  ['a re-export', (path: string) => `export * from '${path}';`],
  ['a dynamic import', (path: string) => `await import('${path}');`],
])('the linter refuses %s that the table does not allow, and no other', async (_name, statement) => {
  const forbidden: string[] = [];
  for (const importer of FOLDERS) {
    const others = FOLDERS.filter((other) => other !== importer);
    for (const [path, up] of [
      [`src/${importer}/probe.ts`, '..'],
      [`src/${importer}/deeper/probe.ts`, '../..'],
    ] as const) {
      write(
        path,
        others.map((other) => statement(`${up}/${other}/index.js`)),
      );
      others.forEach((other, index) => {
        if (!MAY_IMPORT[importer]?.includes(other)) forbidden.push(`${path}:${index + 1}`);
      });
    }
  }
  expect((await refusals('noRestrictedImports')).sort()).toEqual(forbidden.sort());
});

test('the linter refuses import cycles', async () => {
  write('src/core/one.ts', ["import { two } from './two.js';", 'export const one = () => two;']);
  write('src/core/two.ts', ["import { one } from './one.js';", 'export const two = () => one;']);
  write('src/core/three.ts', ["import { one } from './one.js';", 'export const three = one;']);
  expect((await refusals('noImportCycles')).sort()).toEqual(['src/core/one.ts:1', 'src/core/two.ts:1']);
});
