import { type ChildProcess, fork } from 'node:child_process';
import { once as nextEvent } from 'node:events';
import { createInterface } from 'node:readline';
import { CapError, type Closable, closedError, type Logger, once, TypedEvents, toCapError } from '../core/index.js';
import type { GatewayCalls } from './worker-calls.js';
import { openChannel, type Remote } from './worker-channel.js';

/** What every worker answers: it is asked to see whether it still does. */
export interface WorkerCalls {
  stats(): unknown;
}

export interface WorkerOptions<Calls extends WorkerCalls> {
  /** For people: `the capture of /desk`. */
  readonly name: string;
  /** The compiled program. */
  readonly program: string;
  /** Makes a new process do its work; the worker is ready when it resolves. */
  prepare(remote: Remote<Calls>): Promise<void>;
  readonly logger: Logger;
}

export type WorkerEvents = {
  /** It does its work, for the first time or again. */
  ready: [];
  /** It has ended, or could not begin; it is started again unless the worker was closed. */
  died: [error: CapError];
};

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;
/** How often a process is asked whether it still answers, and how long it may take. */
const PING_INTERVAL_MS = 2000;
const PING_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 3000;

/**
 * A process that does one part of the gateway's work, supervised: it is started again when it died, whatever of,
 * and killed when it hangs. One that had been ready comes back at once, one that cannot begin with growing pauses.
 */
export class Worker<Calls extends WorkerCalls> extends TypedEvents<WorkerEvents> implements Closable {
  readonly #options: WorkerOptions<Calls>;
  #child: ChildProcess | undefined;
  #remote: Remote<Calls> | undefined;
  #failure: CapError | undefined;
  #ready = false;
  #deaths = 0;
  #delayMs = FIRST_DELAY_MS;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: WorkerOptions<Calls>) {
    super();
    this.#options = options;
  }

  /** Its functions while it is ready. */
  get remote(): Remote<Calls> | undefined {
    return this.#ready ? this.#remote : undefined;
  }

  /** How often it died after it had been ready. */
  get deaths(): number {
    return this.#deaths;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it is ready for the first time; rejects when its first try fails, and goes on trying. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => (): void => {
        this.off('ready', ready).off('died', died);
        done();
      };
      const ready = settle(resolve);
      const died = (error: CapError): void => settle(() => reject(error))();
      this.on('ready', ready).on('died', died);
      void this.#run();
    });
  }

  readonly close = once(async () => {
    this.#closed = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (!child) return;
    const exited = nextEvent(child, 'exit');
    // A worker ends, in good order, when its channel does.
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
    await exited;
    clearTimeout(late);
  });

  async #run(): Promise<void> {
    // Its name is there for who looks at the list of processes.
    const child = fork(this.#options.program, [this.#options.name], {
      // Debugger options of this process are not for a second one.
      execArgv: [],
      serialization: 'advanced',
      // Out of the terminal's group: Ctrl-C is for the gateway, which decides what it means.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#failure = undefined;
    const local: GatewayCalls = {
      log: (level, message, fields) => this.#options.logger[level](message, fields),
      failed: (error) => {
        this.#failure = toCapError(error);
      },
    };
    const remote = openChannel<Calls>(child, local);
    this.#relayOutput(child);
    child.once('error', (error) => this.#onExit(child, remote, error.message));
    child.once('exit', (status, signal) => this.#onExit(child, remote, signal ?? `status ${status}`));
    try {
      await this.#options.prepare(remote);
      if (child !== this.#child || this.#closed) return;
      this.#remote = remote;
      this.#ready = true;
      this.#delayMs = FIRST_DELAY_MS;
      this.#keepAsking(child, remote);
      this.emit('ready');
    } catch (error) {
      if (child !== this.#child) return;
      this.#failure ??= toCapError(error);
      child.kill('SIGKILL');
    }
  }

  /** What GStreamer and others write; a library's last words before it aborts are worth keeping. */
  #relayOutput(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#options.logger.warn(line));
    }
  }

  #onExit(child: ChildProcess, remote: Remote<Calls>, reason: string): void {
    if (child !== this.#child) return;
    const wasReady = this.#ready;
    this.#child = undefined;
    this.#remote = undefined;
    this.#ready = false;
    clearTimeout(this.#timer);
    remote.$close(closedError(this.#options.name));
    if (this.#closed) return;
    if (wasReady) this.#deaths++;
    const error = this.#failure ?? new CapError('CAP_INTERNAL', `${this.#options.name} died: ${reason}`);
    this.#timer = setTimeout(() => void this.#run(), this.#delayMs);
    if (!wasReady) this.#delayMs = Math.min(this.#delayMs * 2, LAST_DELAY_MS);
    this.emit('died', error);
  }

  /** A process that hangs holds its source and its port: it must go before another one can come. */
  #keepAsking(child: ChildProcess, remote: Remote<Calls>): void {
    this.#timer = setTimeout(async () => {
      const late = setTimeout(() => {
        this.#failure = new CapError('CAP_INTERNAL', `${this.#options.name} does not answer and is killed`);
        child.kill('SIGKILL');
      }, PING_TIMEOUT_MS);
      await (remote as Remote<WorkerCalls>).stats().catch(() => {});
      clearTimeout(late);
      if (child === this.#child && !this.#closed) this.#keepAsking(child, remote);
    }, PING_INTERVAL_MS);
  }
}
