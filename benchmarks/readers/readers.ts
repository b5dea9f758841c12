import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDisplay } from '../../test/support/display.js';
import { type RunningProcess, start } from '../../test/support/process.js';
import { readProcessUsage } from '../../test/support/process-usage.js';
import { projectRoot } from '../../test/support/programs.js';
import { showClock } from '../../test/support/screen.js';
import { type StreamServer, startCap, startPeer } from '../server.js';
import type { Reception } from './client.js';

const SCREEN = { widthPx: 1920, heightPx: 1080 };
const P4 = { widthPx: 960, heightPx: 540 };

/** Many readers of one stream, beside one of another process. */
export interface Crowd extends Reception {
  readonly readers: number;
  /** Of the whole server process, in cores. */
  readonly cpuCores: number;
}

export interface Crowds {
  readonly one: Crowd;
  readonly many: Crowd;
  /** The same while the reader of the other process is stopped. */
  readonly beside: Crowd;
}

/** `cap` and the peer in turn: a 1080p screen on which a box moves, at a quarter of its pixels, over TCP. */
export async function measureCrowds(readers: number, seconds: number): Promise<{ cap: Crowds; peer: Crowds }> {
  await using display = await startDisplay(SCREEN);
  await using _clock = await showClock(display, { ...SCREEN, mode: 'box' });
  return {
    cap: await measure(await startCap(display.name, ['--scale-preset', 'p4']), readers, seconds),
    peer: await measure(await startPeer(display.name, P4), readers, seconds),
  };
}

async function measure(opened: StreamServer, readers: number, seconds: number): Promise<Crowds> {
  await using server = opened;
  await using other = await openClient(server.url, 1);
  const one = await crowd(server, 1, seconds);
  const many = await crowd(server, readers, seconds);
  other.signal('SIGSTOP');
  const beside = await crowd(server, readers, seconds);
  other.signal('SIGCONT');
  return { one, many, beside };
}

async function crowd(server: StreamServer, readers: number, seconds: number): Promise<Crowd> {
  await using client = await openClient(server.url, readers);
  const { cpuSeconds } = readProcessUsage(server.process.pid);
  const startedMs = performance.now();
  await sleep(seconds * 1000);
  const used = readProcessUsage(server.process.pid).cpuSeconds - cpuSeconds;
  const elapsed = (performance.now() - startedMs) / 1000;
  process.kill(client.pid, 'SIGUSR2');
  const [text] = await client.waitForOutput(/^\{.*\}$/m);
  return { readers, cpuCores: used / elapsed, ...(JSON.parse(text) as Reception) };
}

async function openClient(url: string, readers: number): Promise<RunningProcess> {
  const program = join(projectRoot, 'build/js/benchmarks/readers/client.js');
  const client = start(process.execPath, [program, url, `${readers}`]);
  try {
    await client.waitForOutput(/^playing$/m, 60_000);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}
