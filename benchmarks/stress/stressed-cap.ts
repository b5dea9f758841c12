import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningProcess, run, start } from '../../test/support/process.js';
import { readProcessUsage } from '../../test/support/process-usage.js';
import { projectRoot } from '../../test/support/programs.js';
import { RtspClient } from '../../test/support/rtsp-client.js';

/** What the gateway's process holds at one moment. */
export interface Holdings {
  readonly memoryMb: number;
  readonly descriptors: number;
  readonly threads: number;
}

const SOURCE = ['--source', 'test', '--size', '320x240', '--always-on'];

/** `cap` with every door of one small stream open, as a user starts it. */
export class StressedCap implements AsyncDisposable {
  readonly rtspUrl: string;
  readonly httpUrl: string;
  readonly #metricsUrl: string;
  readonly #process: RunningProcess;
  readonly #folder: string;

  private constructor(process: RunningProcess, folder: string, urls: readonly [string, string, string]) {
    this.#process = process;
    this.#folder = folder;
    [this.rtspUrl, this.httpUrl, this.#metricsUrl] = urls;
  }

  /** @param sanitize with the addon built for AddressSanitizer, which ends the process at the first memory error */
  static async start({ sanitize = false } = {}): Promise<StressedCap> {
    const folder = mkdtempSync(join(tmpdir(), 'cap-stress-'));
    const program = sanitize ? await sanitizedCopy(folder) : join(projectRoot, 'bin/cap.mjs');
    const args = ['--rtsp', '--rtsp-port', '0', '--http', '--http-port', '0', '--metrics-port', '0', ...SOURCE];
    const env = { XDG_RUNTIME_DIR: folder, ...(sanitize ? await sanitizerEnvironment() : {}) };
    const process_ = start(process.execPath, [program, ...args], { env });
    try {
      const urlOf = async (pattern: RegExp): Promise<string> =>
        (await process_.waitForOutput(pattern, 60_000))[1] ?? '';
      const rtspUrl = await urlOf(/^(rtsp:\/\/\S+)$/m);
      const httpUrl = await urlOf(/^(http:\/\/\S+)$/m);
      return new StressedCap(process_, folder, [rtspUrl, httpUrl, await urlOf(/^metrics at (\S+)$/m)]);
    } catch (error) {
      await process_.close();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when a reader gets pictures, a browser its page, and nobody is counted who has left. */
  async expectWell(): Promise<void> {
    try {
      await this.#checkAll();
    } catch (error) {
      const state = this.#process.ended
        ? `the gateway has ended with ${JSON.stringify(await this.#process.exited)}`
        : '';
      throw new Error(`${state || error}\n${this.#process.stderr.slice(-20_000)}`, { cause: error });
    }
  }

  async #checkAll(): Promise<void> {
    await within('a reader gets no picture', async () => {
      await using client = await RtspClient.open(this.rtspUrl);
      const got = new Promise<void>((resolve) => client.onPacket(() => resolve()));
      await client.play('RTP/AVP/TCP;unicast;interleaved=0-1');
      await got;
    });
    await within('the page does not answer', async () => {
      const { status } = await fetch(`${this.httpUrl}/`);
      if (status !== 200) throw new Error(`the page answers ${status}`);
    });
    await within('readers that have left are counted', async () => {
      while ((await this.#readers()) > 0) await sleep(100);
    });
  }

  /** What it holds once it has come to rest: connections are let go of a few seconds after their end. */
  async holdings(): Promise<Holdings> {
    let { descriptors: before } = readProcessUsage(this.pid);
    for (;;) {
      await sleep(3000);
      const { rssBytes, descriptors, threads } = readProcessUsage(this.pid);
      if (descriptors >= before) return { memoryMb: rssBytes / 1e6, descriptors, threads };
      before = descriptors;
    }
  }

  async #readers(): Promise<number> {
    const text = await (await fetch(this.#metricsUrl)).text();
    const counts = [...text.matchAll(/^cap_rtsp_readers(?:\{.*\})? (\d+)$/gm)];
    if (counts.length === 0) throw new Error(`no readers in the metrics\n${text}`);
    const { peers } = (await (await fetch(`${this.httpUrl}/api/webrtc`)).json()) as { peers: number };
    return counts.reduce((sum, [, count]) => sum + Number(count), peers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Longer than any session that was left without a word may stay. */
const HANG_MS = 120_000;

async function within(failure: string, work: () => Promise<void>): Promise<void> {
  const timeout = sleep(HANG_MS, undefined, { ref: false }).then(() => {
    throw new Error(failure);
  });
  await Promise.race([work(), timeout]);
}

/** The program in a folder of its own where the addon is the one for AddressSanitizer. */
async function sanitizedCopy(folder: string): Promise<string> {
  await run('make', ['-s', '-C', join(projectRoot, 'build'), '-j2', 'BUILDTYPE=Debug'], { timeoutMs: 1_200_000 });
  const place = join(folder, 'package');
  mkdirSync(join(place, 'build/Release'), { recursive: true });
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(projectRoot, name), join(place, name), { recursive: true });
  for (const name of ['node_modules', 'presets', 'viewer']) symlinkSync(join(projectRoot, name), join(place, name));
  const addon = 'cap_native.node';
  symlinkSync(join(projectRoot, 'build/Debug', addon), join(place, 'build/Release', addon));
  return join(place, 'bin/cap.mjs');
}

/** Leaks are told by what the process holds: Node itself frees little at its end. */
async function sanitizerEnvironment(): Promise<Record<string, string>> {
  const { stdout } = await run('g++', ['-print-file-name=libasan.so']);
  return { LD_PRELOAD: stdout.trim(), ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:alloc_dealloc_mismatch=0' };
}
