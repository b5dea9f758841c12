import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { run } from '../support/process.js';

const ROOT = resolve(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const MAX_PICTURE_BYTES = 200_000;

/** What stands in the README's code blocks of a language; '' for those without one. */
function codeBlocks(language: string): string[] {
  return [...README.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, named]) => named === language)
    .map(([, , code]) => code ?? '');
}

async function cap(...args: string[]): Promise<string> {
  // A preset of the user's own would be in the table.
  const env = { XDG_CONFIG_HOME: '/nonexistent' };
  return (await run(process.execPath, [join(ROOT, 'bin/cap.mjs'), ...args], { env })).stdout;
}

const optionsIn = (text: string): string[] => text.match(/(?<![\w-])--[a-z][a-z-]+/g) ?? [];

/** Relative links and pictures of a Markdown file, from the root of the repository. */
function linksOf(document: string): string[] {
  const links = [...readFileSync(join(ROOT, document), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)];
  return links.map(([, target = '']) => relative(ROOT, resolve(ROOT, dirname(document), target)));
}

test('the tables are what cap presets prints', async () => {
  const shown = codeBlocks('').filter((block) => block.startsWith('$ npx cap presets'));
  expect(shown).toHaveLength(2);
  for (const block of shown) {
    const [command = '', ...output] = block.split('\n');
    expect(output.join('\n')).toBe(await cap(...command.split(' ').slice(3)));
  }
});

test('the commands and the options in brief exist', async () => {
  const lines = codeBlocks('sh').flatMap((block) => block.split('\n'));
  const commands = lines.filter((line) => line.startsWith('npx cap '));
  const used = commands.flatMap((line) => {
    const subcommand = /^npx cap ((?:[a-z]+ )*)/.exec(line)?.[1]?.trim() || undefined;
    return optionsIn(line).map((option) => ({ subcommand, option }));
  });
  const brief = optionsIn(/^## Options in brief\n(.*?)^`cap --help`/ms.exec(README)?.[1] ?? '');
  expect(brief.length).toBeGreaterThan(10);
  used.push(...brief.map((option) => ({ subcommand: undefined, option })));
  for (const subcommand of new Set(used.map((use) => use.subcommand))) {
    const known = optionsIn(await cap(...(subcommand?.split(' ') ?? []), '--help'));
    const unknown = used.filter((use) => use.subcommand === subcommand && !known.includes(use.option));
    expect(unknown).toEqual([]);
  }
});

test('the library snippet compiles', () => {
  // Inside the package, where its own name resolves.
  const folder = mkdtempSync(join(ROOT, 'build/readme-'));
  try {
    const files = codeBlocks('ts').map((code, index) => {
      const path = join(folder, `snippet-${index}.mts`);
      writeFileSync(path, code);
      return path;
    });
    const program = ts.createProgram(files, {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    });
    const problems = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
    expect(files).toHaveLength(1);
    expect(problems).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.each(DOCUMENTS)('the links of %s lead somewhere', (document) => {
  expect(linksOf(document).filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
});

test('what the README links to is in the package', () => {
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
  const packed = [...files, 'LICENSE']; // npm always packs the licence
  const missing = linksOf('README.md').filter((target) => !packed.includes(target.split('/')[0] ?? ''));
  expect(missing).toEqual([]);
});

test('the pictures are small', () => {
  const folder = join(ROOT, 'docs/pictures');
  const large = readdirSync(folder).filter((name) => statSync(join(folder, name)).size > MAX_PICTURE_BYTES);
  expect(large).toEqual([]);
});
