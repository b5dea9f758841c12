import { setTimeout } from 'node:timers/promises';
import { type ClockReading, type RtspTransport, readClock, readJoins } from '../test/support/clock.js';
import { startDisplay } from '../test/support/display.js';
import { readProcessUsage } from '../test/support/process-usage.js';
import { type ClockMode, showClock } from '../test/support/screen.js';
import { type StreamServer, startCap, startPeer } from './server.js';

const WIDTH = 1920;
const HEIGHT = 1080;
/** What a reader costs who has just joined is not what it costs to have one. */
const SETTLE_S = 2;
/** Node tidies up its heap once, some seconds after the start, for as much as seven seconds of a still screen. */
const STILL_SETTLE_S = 9;

export interface StreamingCase {
  readonly name: string;
  readonly mode: ClockMode;
  readonly transport: RtspTransport;
  readonly args: readonly string[];
}

export const STREAMING_CASES: readonly StreamingCase[] = [
  { name: '1080p TCP, a box moves', mode: 'box', transport: 'tcp', args: [] },
  { name: '1080p UDP, a box moves', mode: 'box', transport: 'udp', args: [] },
  { name: '1080p TCP, all pixels change', mode: 'full', transport: 'tcp', args: [] },
  { name: '1080p TCP, still', mode: 'still', transport: 'tcp', args: [] },
  { name: 'p4 TCP, a box moves', mode: 'box', transport: 'tcp', args: ['--scale-preset', 'p4'] },
];

/** One server, seen by one reader for some seconds. */
export interface Run {
  readonly p50: number;
  readonly p95: number;
  /** Of the server's whole process, from some seconds after the reader joined until it left, in cores. */
  readonly cpuCores: number;
  readonly rssMb: number;
}

export interface Pair {
  readonly cap: Run;
  readonly peer: Run;
}

/** `cap` and the peer in turn on the same display, `rounds` times. */
export async function measureStreaming(item: StreamingCase, rounds: number, seconds: number): Promise<Pair[]> {
  await using display = await startDisplay({ widthPx: WIDTH, heightPx: HEIGHT });
  await using _clock = await showClock(display, { widthPx: WIDTH, heightPx: HEIGHT, mode: item.mode });
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    const cap = await measure(() => startCap(display.name, item.args), item, seconds);
    const peer = await measure(() => startPeer(display.name), item, seconds);
    pairs.push({ cap, peer });
  }
  return pairs;
}

async function measure(open: () => Promise<StreamServer>, item: StreamingCase, seconds: number): Promise<Run> {
  const { transport, mode } = item;
  const settleS = mode === 'still' ? STILL_SETTLE_S : SETTLE_S;
  await using server = await open();
  const read = readClock({ url: server.url, sourceWidthPx: WIDTH, transport }, settleS + seconds);
  await setTimeout(settleS * 1000);
  const before = readProcessUsage(server.process.pid);
  const startedMs = performance.now();
  const reading = await read;
  const elapsed = (performance.now() - startedMs) / 1000;
  const after = readProcessUsage(server.process.pid);
  return {
    ...ages(reading),
    cpuCores: (after.cpuSeconds - before.cpuSeconds) / elapsed,
    rssMb: after.rssBytes / 1e6,
  };
}

/** Of frames that show something new: a still screen's other frames are old because the screen is. */
function ages({ age, changeAge }: ClockReading): { p50: number; p95: number } {
  const { p50, p95 } = changeAge ?? age;
  return { p50, p95 };
}

export interface Joins {
  readonly cap: readonly number[];
  readonly peer: readonly number[];
}

/** Milliseconds to the first picture for readers who join a stream that another one watches: GOP 10 s against 1 s. */
export async function measureJoins(times: number): Promise<Joins> {
  await using display = await startDisplay({ widthPx: WIDTH, heightPx: HEIGHT });
  await using _clock = await showClock(display, { widthPx: WIDTH, heightPx: HEIGHT, mode: 'box' });
  const join = async (server: StreamServer): Promise<number[]> => {
    await using _server = server;
    const stream = { url: server.url, sourceWidthPx: WIDTH };
    const watching = readClock(stream, 2 + times);
    const joins = await readJoins(stream, times);
    await watching;
    return joins;
  };
  return { cap: await join(await startCap(display.name)), peer: await join(await startPeer(display.name)) };
}
