import { readFileSync } from 'node:fs';
import { type AST, getStaticTOMLValue, parseTOML } from 'toml-eslint-parser';
import { CapError, type CapErrorOptions, toCapError } from '../../core/index.js';

/** A table of TOML: what stands behind its keys. */
export type TomlTable = Readonly<Record<string, unknown>>;

/** Files larger than this are no configuration. */
const MAX_BYTES = 1 << 20;

/** A TOML file that was read, and that knows on which line each of its keys stands. */
export class TomlFile {
  readonly path: string;
  readonly root: TomlTable;
  readonly #lines = new Map<string, number>();

  /** @throws CAP_USAGE with the line, when it cannot be read */
  constructor(path: string) {
    this.path = path;
    const program = parse(path, readText(path));
    this.root = getStaticTOMLValue(program) as TomlTable;
    this.#index(program.body[0].body, []);
  }

  /** What is wrong with the value at `keys`, with its place in front. */
  error(keys: readonly string[], message: string, options: CapErrorOptions = {}): CapError {
    return new CapError('CAP_USAGE', `${this.path}:${this.#lineOf(keys)}: ${message}`, options);
  }

  /** The table at `keys`, if there is one. @throws CAP_USAGE when it is anything else */
  table(keys: readonly string[]): TomlTable | undefined {
    const found = keys.reduce<unknown>((outer, key) => (outer as TomlTable)[key], this.root);
    if (found === undefined || isTable(found)) return found;
    throw this.error(keys, `expected a table for ${keys.at(-1)}, such as [${keys.join('.')}]`);
  }

  /** The tables in a table. @throws CAP_USAGE when there is anything else, or a table that is not in `known` */
  tables(keys: readonly string[], known?: readonly string[]): [string, TomlTable][] {
    const table = keys.reduce<unknown>((outer, key) => (outer as TomlTable)[key], this.root) as TomlTable | undefined;
    return Object.entries(table ?? {}).map(([name, value]) => {
      const path = [...keys, name];
      if (known && !known.includes(name)) {
        throw this.error(path, `unknown table "${name}"`, { hint: `known tables: ${known.join(', ')}` });
      }
      if (!isTable(value)) throw this.error(path, `expected a table for ${name}, such as [${path.join('.')}]`);
      return [name, value];
    });
  }

  #index(nodes: readonly AST.TOMLNode[], outer: readonly (string | number)[]): void {
    for (const node of nodes) {
      if (node.type === 'TOMLTable') {
        this.#lines.set(node.resolvedKey.join('\0'), node.loc.start.line);
        this.#index(node.body, node.resolvedKey);
      } else if (node.type === 'TOMLKeyValue') {
        const path = [...outer, ...node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))];
        this.#lines.set(path.join('\0'), node.loc.start.line);
        if (node.value.type === 'TOMLInlineTable') this.#index(node.value.body, path);
      }
    }
  }

  /** A table that was never named itself has the line of what it stands in. */
  #lineOf(keys: readonly string[]): number {
    for (let length = keys.length; length > 0; length--) {
      const line = this.#lines.get(keys.slice(0, length).join('\0'));
      if (line !== undefined) return line;
    }
    return 1;
  }
}

const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_BYTES) throw new Error('it is larger than 1 MiB');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CapError('CAP_USAGE', `cannot read ${path}: ${toCapError(error).message}`, {
      hint: 'name the configuration with --config; docs/configuration.md has an example',
      cause: error,
    });
  }
}

function parse(path: string, text: string): AST.TOMLProgram {
  try {
    return parseTOML(text);
  } catch (error) {
    const { message, lineNumber } = error as { message: string; lineNumber?: number };
    throw new CapError('CAP_USAGE', `${path}:${lineNumber ?? 1}: ${message}`, {
      hint: 'it must be TOML',
      cause: error,
    });
  }
}
