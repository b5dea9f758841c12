import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

const MAX_TOKEN_LENGTH = 4096;

/**
 * What lets the next session share the same screen without asking, in a file that only the user can read. It is as
 * good as the user's consent, so it is never logged. Each is good for one session, which gives the next one.
 */
export class RestoreToken {
  readonly #folder: string;
  readonly #file: string;

  /** @param kind what was asked for: a token of a window is of no use for a monitor */
  constructor(kind: string, environment: Environment = process.env) {
    const { XDG_STATE_HOME: configured = '' } = environment;
    // The XDG Base Directory Specification has relative paths ignored.
    const state = isAbsolute(configured) ? configured : join(homedir(), '.local/state');
    this.#folder = join(state, 'cap');
    this.#file = join(this.#folder, `portal-${kind}.token`);
  }

  /** The one kept; empty when there is none. */
  read(): string {
    try {
      const token = readFileSync(this.#file, 'utf8').trim();
      return token.length <= MAX_TOKEN_LENGTH ? token : '';
    } catch {
      return '';
    }
  }

  /** Keeps `token` instead of the one before, which is used up. @throws an error of the file system */
  write(token: string): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const partial = `${this.#file}.${process.pid}`;
    writeFileSync(partial, token, { mode: 0o600 });
    chmodSync(partial, 0o600); // also when it was there already
    renameSync(partial, this.#file);
  }
}
