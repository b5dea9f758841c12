import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestDisplay } from '../../test/support/display.js';
import { type RunningProcess, start } from '../../test/support/process.js';
import { readProcessUsage } from '../../test/support/process-usage.js';
import { projectRoot } from '../../test/support/programs.js';

/** What can be left behind on purpose, to see that it is found. */
export type Leak = 'memory' | 'descriptors' | 'threads';

/** What the process holds at one moment. */
export interface Holdings {
  readonly memoryMb: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly segments: number;
  /** Of the X server, which keeps what its clients forget. */
  readonly serverMemoryMb: number;
}

/** The process that is watched: see subject.mjs. */
export class Subject implements AsyncDisposable {
  readonly url: string;
  /** Captured so far. */
  frames = 0;
  readonly #process: RunningProcess;
  readonly #display: TestDisplay;
  #told = 0;

  private constructor(process: RunningProcess, display: TestDisplay, url: string) {
    this.#process = process;
    this.#display = display;
    this.url = url;
  }

  static async start(display: TestDisplay): Promise<Subject> {
    const program = join(projectRoot, 'benchmarks/soak/subject.mjs');
    const args = ['--expose-gc', program, display.name];
    const process_ = start(process.execPath, args, { cwd: projectRoot, keepStdinOpen: true });
    try {
      const [, url = ''] = await process_.waitForOutput(/^ready (\S+)$/m);
      return new Subject(process_, display, url);
    } catch (error) {
      await process_.close();
      throw error;
    }
  }

  /** Gives an order; resolves when it is carried out. */
  async tell(order: string): Promise<void> {
    this.#told += 1;
    this.#process.stdin.write(`${order}\n`);
    const [, frames] = await this.#process.waitForOutput(new RegExp(`^done ${this.#told} (\\d+)$`, 'm'));
    this.frames = Number(frames);
  }

  /** What it holds once it has come to rest. */
  async holdings(): Promise<Holdings> {
    await this.tell('settle');
    const { rssBytes, descriptors, threads } = readProcessUsage(this.#process.pid);
    return {
      memoryMb: rssBytes / 1e6,
      descriptors,
      threads,
      segments: segmentsOf(this.#process.pid),
      serverMemoryMb: readProcessUsage(this.#display.server.pid).rssBytes / 1e6,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process.close();
  }
}

/** Shared memory segments that a process has made and that still exist. */
function segmentsOf(pid: number): number {
  const [head = '', ...rows] = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n');
  const column = head.trim().split(/\s+/).indexOf('cpid');
  return rows.filter((row) => Number(row.trim().split(/\s+/)[column]) === pid).length;
}
