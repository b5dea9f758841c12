import { lstat, readdir } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';
import { CapError, unexpected } from '../../core/index.js';

/** A file of a recording that lies on the disk. */
export interface RecordedFile {
  readonly path: string;
  readonly bytes: number;
  /** When it was last written. */
  readonly modifiedMs: number;
}

/** What a file is called until it plays. */
export const PARTIAL = '.part';

const two = (value: number): string => `${value}`.padStart(2, '0');

/** The fields of strftime that a name may have, in local time. */
const FIELDS: Readonly<Record<string, { readonly pattern: string; text(date: Date): string }>> = {
  Y: { pattern: '\\d{4}', text: (date) => `${date.getFullYear()}` },
  m: { pattern: '\\d\\d', text: (date) => two(date.getMonth() + 1) },
  d: { pattern: '\\d\\d', text: (date) => two(date.getDate()) },
  H: { pattern: '\\d\\d', text: (date) => two(date.getHours()) },
  M: { pattern: '\\d\\d', text: (date) => two(date.getMinutes()) },
  S: { pattern: '\\d\\d', text: (date) => two(date.getSeconds()) },
  s: { pattern: '\\d+', text: (date) => `${Math.floor(date.getTime() / 1000)}` },
};
const ALL_TIMES = 'YmdHMS';
const HINT = `a name may have ${Object.keys(FIELDS)
  .map((name) => `%${name}`)
  .join(' ')} and {mount}; %% is a percent sign`;

/** A text as it is, or the name of a field. */
type Token = { readonly text: string } | { readonly field: string };

/** The name of a recording's files: `rec/{mount}/%Y-%m-%d/%H-%M-%S.mp4`. */
export class FileTemplate {
  /** As it was given, with the mount's name in it. */
  readonly text: string;
  /** Where it lies: what comes before the first component with a field. */
  readonly folder: string;
  /** Of each component below. */
  readonly #components: readonly (readonly Token[])[];

  /**
   * @param mount what `{mount}` stands for
   * @throws CAP_USAGE for an unknown field, or a name that would leave its folder
   */
  constructor(template: string, mount = 'cap') {
    const given = template.split('/');
    const components = given.map((component) => tokensOf(component, mount));
    const withField = given.findIndex((component) => /%[^%]|\{/.test(component));
    const first = withField === -1 ? given.length - 1 : withField;
    const plain = components.map((tokens) => tokens.map((token) => ('text' in token ? token.text : '0')).join(''));
    if (plain.slice(first).some((component) => ['', '.', '..'].includes(component) || component.includes(sep))) {
      throw unexpected('the output', 'a name that stays in its folder', template);
    }
    this.folder = resolve(plain.slice(0, first).join(sep) || (template.startsWith(sep) ? sep : '.'));
    this.text = join(this.folder, ...components.slice(first).map(sourceOf));
    this.#components = components.slice(first);
  }

  /** Whether it is always the same name. */
  get isFixed(): boolean {
    return this.#fields.length === 0;
  }

  /** @throws CAP_USAGE unless names tell one second from the other */
  requireDistinct(): void {
    const fields = this.#fields;
    if (fields.includes('s') || [...ALL_TIMES].every((field) => fields.includes(field))) return;
    throw new CapError('CAP_USAGE', `the name ${this.text} does not tell one segment from the next`, {
      hint: 'it needs the time to the second, %Y-%m-%d_%H-%M-%S or %s, such as rec/%Y-%m-%d/%H-%M-%S.mp4',
    });
  }

  /** @param copy from 2 on where the name is taken already, as in the hour that clocks are turned back */
  pathAt(date: Date, copy = 1): string {
    const names = this.#components.map((tokens) =>
      tokens.map((token) => ('text' in token ? token.text : FIELDS[token.field]?.text(date))).join(''),
    );
    const { dir, name, ext } = parse(join(this.folder, ...names));
    return join(dir, `${name}${copy > 1 ? `_${copy}` : ''}${ext}`);
  }

  /** The files of that name that there are, oldest first; links are not followed. `partial`: those that never played. */
  async files(partial = false): Promise<RecordedFile[]> {
    const patterns = this.#components.map((tokens, index) => {
      const isFile = index === this.#components.length - 1;
      return patternOf(tokens, isFile, isFile && partial ? PARTIAL : '');
    });
    const files = await this.#below(this.folder, patterns);
    return files.sort((one, other) => one.modifiedMs - other.modifiedMs);
  }

  async #below(folder: string, [pattern, ...deeper]: readonly RegExp[]): Promise<RecordedFile[]> {
    const names = await readdir(folder).catch(() => []);
    const found = names.filter((name) => pattern?.test(name)).map((name) => join(folder, name));
    const lists = await Promise.all(
      found.map(async (path) => {
        const stats = await lstat(path).catch(() => undefined);
        if (deeper.length > 0) return stats?.isDirectory() ? this.#below(path, deeper) : [];
        return stats?.isFile() ? [{ path, bytes: stats.size, modifiedMs: stats.mtimeMs }] : [];
      }),
    );
    return lists.flat();
  }

  get #fields(): string[] {
    return this.#components.flat().flatMap((token) => ('field' in token ? [token.field] : []));
  }
}

function tokensOf(component: string, mount: string): Token[] {
  return [...component.matchAll(/%(.?)|\{([^}]*)\}?|[^%{]+/g)].map(([text, field, name]) => {
    if (text === '%%') return { text: '%' };
    if (text === '{mount}') return { text: mount };
    if (field !== undefined && Object.hasOwn(FIELDS, field)) return { field };
    if (field === undefined && name === undefined) return { text };
    throw new CapError('CAP_USAGE', `unknown field "${text}" in the output's name`, { hint: HINT });
  });
}

const sourceOf = (tokens: readonly Token[]): string =>
  tokens.map((token) => ('text' in token ? token.text.replaceAll('%', '%%') : `%${token.field}`)).join('');

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function patternOf(tokens: readonly Token[], isFile: boolean, suffix: string): RegExp {
  const last = tokens.at(-1);
  const dot = isFile && last && 'text' in last ? last.text.lastIndexOf('.') : -1;
  const source = (of: readonly Token[]): string =>
    of.map((token) => ('text' in token ? escaped(token.text) : FIELDS[token.field]?.pattern)).join('');
  if (!last || !('text' in last) || dot === -1) return new RegExp(`^${source(tokens)}${escaped(suffix)}$`);
  const name = source([...tokens.slice(0, -1), { text: last.text.slice(0, dot) }]);
  return new RegExp(`^${name}(?:_\\d+)?${escaped(last.text.slice(dot) + suffix)}$`);
}
