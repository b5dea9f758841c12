import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CapError, closedError, once } from '../../core/index.js';
import type { TextLine } from '../adaptor.js';
import { openPageReader, type TextReader } from './page-reader.js';
import type { ReadPart } from './read-part.js';

export interface ReadRequest {
  readonly id: number;
  readonly image: Uint8Array;
  readonly part?: ReadPart | undefined;
}

export interface ReadAnswer {
  readonly id: number;
  readonly lines?: readonly TextLine[];
  /** An error's message, code and hint: nothing else of it crosses to another process. */
  readonly error?: Pick<CapError, 'message' | 'code' | 'hint'>;
}

interface Pending {
  resolve(lines: readonly TextLine[]): void;
  reject(error: CapError): void;
}

const PROGRAM = fileURLToPath(new URL('./reader-process.js', import.meta.url));

/**
 * Reads text in a child process. On the main thread, cutting and decoding lines takes a third of a second
 * a page, in which no frame is taken and nobody is answered. A worker thread would not do: onnxruntime's
 * addon loads into a process only once ("Module did not self-register" for the second thread), and a
 * thread cannot be ended in the middle of an inference. A process can, gives its half a gigabyte back,
 * and takes nothing with it if it crashes.
 *
 * The program is started with the first page, and again after it died.
 */
export async function openTextReader(program = PROGRAM): Promise<TextReader> {
  // A test runner executes the TypeScript sources, beside which no compiled program stands.
  return existsSync(program) ? new ProcessReader(program) : openPageReader();
}

class ProcessReader implements TextReader {
  readonly #program: string;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #closed = false;
  #nextId = 0;

  constructor(program: string) {
    this.#program = program;
  }

  read(image: Uint8Array, part?: ReadPart): Promise<readonly TextLine[]> {
    if (this.#closed) return Promise.reject(closedError('the text reader'));
    this.#child ??= this.#start();
    const child = this.#child;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      setReferenced(child, true);
      child.send({ id, image, part } satisfies ReadRequest, (error) => {
        if (error) this.#reject(id, new CapError('CAP_INTERNAL', 'the text reader takes no page', { cause: error }));
      });
    });
  }

  readonly close = once(async () => {
    this.#closed = true;
    const child = this.#child;
    if (!child) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.ref();
    // It has nothing to lose, and may be in the middle of a page.
    child.kill('SIGKILL');
    await exited;
  });

  #start(): ChildProcess {
    const child = fork(this.#program, [], {
      // Debugger options of this process are not for a second one; the addon's warnings are not for the terminal.
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', (answer: ReadAnswer) => this.#settle(child, answer));
    child.on('error', (error) => this.#lose(child, error.message));
    child.on('exit', (status, signal) => this.#lose(child, signal ?? `status ${status}`));
    return child;
  }

  #settle(child: ChildProcess, { id, lines, error }: ReadAnswer): void {
    if (error) {
      this.#reject(id, new CapError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint }));
    } else {
      this.#pending.get(id)?.resolve(lines ?? []);
      this.#pending.delete(id);
    }
    // An idle reader keeps no process alive.
    if (this.#pending.size === 0) setReferenced(child, false);
  }

  #lose(child: ChildProcess, reason: string): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    const error = this.#closed
      ? closedError('the text reader')
      : new CapError('CAP_INTERNAL', `the text reader ended: ${reason}`);
    for (const id of [...this.#pending.keys()]) this.#reject(id, error);
  }

  #reject(id: number, error: CapError): void {
    this.#pending.get(id)?.reject(error);
    this.#pending.delete(id);
  }
}

function setReferenced(child: ChildProcess, referenced: boolean): void {
  if (referenced) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}
