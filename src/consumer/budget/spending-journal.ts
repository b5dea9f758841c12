import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CapError } from '../../core/index.js';
import type { Expense } from './budget-limit.js';

/** What was, or may be, spent on one request. */
export interface Spending extends Expense {
  readonly id: string;
  readonly stream: string;
  /** Wall clock, in milliseconds: it goes on across restarts. */
  readonly atMs: number;
}

const DAY_MS = 86_400_000;
const NAME = /^spending-(\d{4}-\d\d-\d\d)\.jsonl$/;
const CHUNK_BYTES = 1 << 20;

/**
 * What all processes of this user have spent in the last day: a file a day, to which everyone appends a line.
 *
 * Appending is atomic, so no lock is needed: who wants to spend writes that down first and then reads what
 * the others have written. Of two who do so at the same time at least one sees the other. What a process
 * that died had reserved stays spent, as its request may have been billed.
 */
export class SpendingJournal {
  readonly #folder: string;
  readonly #spendings = new Map<string, Spending>();
  readonly #readUpTo = new Map<string, number>();

  /** @param folder @default `$XDG_STATE_HOME/cap`, by default `~/.local/state/cap` */
  constructor(folder: string = stateFolder(process.env)) {
    this.#folder = folder;
    this.#guard(() => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of this.#files()) {
        if (Date.parse(NAME.exec(name)?.[1] ?? '') < Date.now() - 3 * DAY_MS)
          rmSync(join(folder, name), { force: true });
      }
    });
  }

  /** Writes down what will be spent, at most. */
  reserve(stream: string, { tokens, usd }: Expense, nowMs: number): Spending {
    const spending = { id: randomUUID(), stream, tokens, usd, atMs: nowMs };
    this.#append(spending);
    return spending;
  }

  /** Corrects it to what was spent. */
  settle(spending: Spending, { tokens, usd }: Expense): void {
    this.#append({ ...spending, tokens, usd });
  }

  /** Everything of the day before `nowMs` and since, as it stands now. */
  spendings(nowMs: number): readonly Spending[] {
    this.#guard(() => {
      for (const name of this.#files()) this.#read(name);
    });
    for (const [id, { atMs }] of this.#spendings) if (atMs <= nowMs - DAY_MS) this.#spendings.delete(id);
    return [...this.#spendings.values()];
  }

  #files(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => NAME.test(name))
      .sort();
  }

  #append(spending: Spending): void {
    const path = join(this.#folder, `spending-${new Date(spending.atMs).toISOString().slice(0, 10)}.jsonl`);
    this.#guard(() => {
      const file = openSync(path, 'a', 0o600);
      try {
        // Begins with a line end of its own: a process that died in the middle of its line spoils that one alone.
        const line = Buffer.from(`\n${JSON.stringify(spending)}\n`);
        if (writeSync(file, line) !== line.length) throw new Error('there is no room');
      } finally {
        closeSync(file);
      }
    });
  }

  #read(name: string): void {
    const file = openSync(join(this.#folder, name), 'r');
    try {
      let at = this.#readUpTo.get(name) ?? 0;
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(0, fstatSync(file).size - at)));
      while (chunk.length > 0) {
        const length = readSync(file, chunk, 0, chunk.length, at);
        const whole = chunk.subarray(0, length).lastIndexOf('\n') + 1;
        if (whole === 0) break;
        for (const line of chunk.subarray(0, whole).toString('utf8').split('\n')) this.#take(line);
        at += whole;
        this.#readUpTo.set(name, at);
      }
    } finally {
      closeSync(file);
    }
  }

  #take(line: string): void {
    try {
      const spending = JSON.parse(line) as Spending;
      const { id, stream, tokens, usd, atMs } = spending;
      const isWhole = typeof id === 'string' && typeof stream === 'string';
      if (isWhole && [tokens, usd, atMs].every(Number.isFinite)) this.#spendings.set(id, spending);
    } catch {
      // Empty, or the last words of a process that died.
    }
  }

  /** A budget that cannot be kept account of is not spent. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (cause) {
      const message = `cannot keep account of the budget in ${this.#folder}: ${(cause as Error).message}`;
      throw new CapError('CAP_OUTPUT_FAILED', message, { cause, hint: 'set XDG_STATE_HOME to a folder of yours' });
    }
  }
}

/** The XDG Base Directory Specification has relative paths ignored. */
function stateFolder({ XDG_STATE_HOME: configured = '' }: NodeJS.ProcessEnv): string {
  return join(isAbsolute(configured) ? configured : join(homedir(), '.local/state'), 'cap');
}
