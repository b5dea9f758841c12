import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';

export interface ProcessOptions {
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Written to standard input, which is then closed. @default nothing: standard input is empty */
  readonly input?: string | Uint8Array;
  /** Leaves standard input open for `stdin.write`. @default false */
  readonly keepStdinOpen?: boolean;
  /** Runs as the user `nobody` when this process is root, for programs that refuse root. @default false */
  readonly unprivileged?: boolean;
  /** More pipes from the child, read as text: file descriptors 3 and up. @default 0 */
  readonly extraPipes?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const NOBODY = 65_534;
/** By its full path: the child's PATH may lead elsewhere. */
const SETPRIV = (process.env.PATH ?? '')
  .split(':')
  .map((folder) => join(folder, 'setpriv'))
  .find((path) => existsSync(path));
const running = new Set<RunningProcess>();

/**
 * A child process that cannot outlive this one: it leads its own process group, the kernel kills it when this process
 * dies however that happens (`setpriv --pdeathsig`), and the group is killed when this process exits in good order.
 */
export class RunningProcess implements AsyncDisposable {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #texts: string[] = ['', '', ''];
  readonly #watchers = new Set<() => void>();
  #ended = false;

  constructor(command: string, args: readonly string[], options: ProcessOptions = {}) {
    const asNobody = options.unprivileged === true && process.getuid?.() === 0;
    const identity = asNobody ? ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'] : [];
    const pipes = Array.from({ length: options.extraPipes ?? 0 }, () => 'pipe' as const);
    if (!SETPRIV) throw new Error('setpriv, of util-linux, is not installed');
    this.#child = spawn(SETPRIV, ['--pdeathsig', 'KILL', ...identity, command, ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe', ...pipes],
      detached: true,
    });
    this.pid = this.#child.pid ?? -1;
    running.add(this);
    this.exited = this.#watchExit(`${command} ${args.join(' ')}`);
    this.#child.stdio.forEach((stream, index) => {
      if (index === 0 || !(stream instanceof Readable)) return;
      stream.setEncoding('utf8').on('data', (text: string) => this.#take(index, text));
    });
    this.#child.stdin?.on('error', () => undefined); // a child that ends early says so by its exit
    if (options.input !== undefined) this.#child.stdin?.write(options.input);
    if (!options.keepStdinOpen) this.#child.stdin?.end();
  }

  /** What the child has written so far. */
  get stdout(): string {
    return this.output(1);
  }

  get stderr(): string {
    return this.output(2);
  }

  /** What the child has written to one file descriptor so far. */
  output(descriptor: number): string {
    return this.#texts[descriptor] ?? '';
  }

  get stdin(): NodeJS.WritableStream {
    if (!this.#child.stdin) throw new Error('standard input is not a pipe');
    return this.#child.stdin;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves with the first match in what a descriptor has said, or rejects when the child ends or time is up. */
  async waitForOutput(pattern: RegExp, timeoutMs = 20_000, descriptor = 1): Promise<RegExpExecArray> {
    const found = await this.#until(() => pattern.exec(this.output(descriptor)), timeoutMs);
    if (found) return found;
    const state = this.#ended ? 'ended' : `said nothing for ${timeoutMs} ms`;
    throw new Error(`process ${this.pid} ${state} without ${pattern}\n${this.stdout}\n${this.stderr}`.trim());
  }

  /** Resolves with the exit, or rejects when the child still runs after `timeoutMs`. */
  async waitForExit(timeoutMs = 20_000): Promise<Exit> {
    await this.#until(() => this.#ended || undefined, timeoutMs);
    if (!this.#ended) throw new Error(`process ${this.pid} still runs after ${timeoutMs} ms\n${this.stderr}`);
    return this.exited;
  }

  /** Sends a signal to the child alone. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name); // unlike process.kill, no error when it has just ended
  }

  /** Kills the child's whole group at once, without waiting. */
  killGroup(): void {
    if (this.pid <= 0) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // The group is empty.
    }
  }

  /** Asks the child to end, kills it after `graceMs`, then kills whatever it left in its group. */
  async close(graceMs = 3000): Promise<void> {
    this.signal('SIGTERM');
    await this.#until(() => this.#ended || undefined, graceMs);
    this.killGroup();
    await this.exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #watchExit(title: string): Promise<Exit> {
    try {
      const [code, signal] = (await once(this.#child, 'close')) as [number | null, NodeJS.Signals | null];
      return { code, signal };
    } catch (error) {
      this.#take(2, `${title}: ${error instanceof Error ? error.message : error}`);
      return { code: null, signal: null };
    } finally {
      this.#ended = true;
      running.delete(this);
      this.#notify();
    }
  }

  #take(descriptor: number, text: string): void {
    this.#texts[descriptor] = this.output(descriptor) + text;
    this.#notify();
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** The first truthy value of `look`, which is asked at each output and at the end; undefined when there is none. */
  #until<T>(look: () => T | null | undefined, timeoutMs: number): Promise<T | undefined> {
    return new Promise((resolve) => {
      const finish = (value: T | undefined) => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve(value);
      };
      const check = () => {
        const value = look();
        if (value) finish(value);
        else if (this.#ended) finish(undefined);
      };
      const timer = setTimeout(() => finish(undefined), timeoutMs);
      this.#watchers.add(check);
      check();
    });
  }
}

/** Starts a program found on the PATH or by its full path. */
export function start(command: string, args: readonly string[] = [], options: ProcessOptions = {}): RunningProcess {
  return new RunningProcess(command, args, options);
}

export interface RunOptions extends ProcessOptions {
  /** @default 60000 */
  readonly timeoutMs?: number;
}

export interface ProgramResult {
  /** Null when a signal ended the program. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; that it fails is a result, that it does not end in time an error. */
export async function runProgram(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<ProgramResult> {
  await using child = start(command, args, options);
  const { code } = await child.waitForExit(options.timeoutMs ?? 60_000);
  return { code, stdout: child.stdout, stderr: child.stderr };
}

/** Runs a program to its end and returns what it wrote; rejects, with its standard error, when it fails. */
export async function run(command: string, args: readonly string[] = [], options: RunOptions = {}) {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  if (code !== 0) throw new Error(`${command} ended with ${code ?? 'a signal'}\n${stderr || stdout}`.trim());
  return { stdout, stderr };
}

/** For `env`: takes away every variable of this process whose name matches. */
export function without(pattern: RegExp): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => pattern.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** Closes every process that still runs. */
export async function closeAllProcesses(): Promise<void> {
  await Promise.all([...running].map((child) => child.close(500)));
}

process.on('exit', () => {
  for (const child of running) child.killGroup();
});
