import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Adaptor, Budget, openAdaptor, parseBudget, RequestQueue, Watch } from '../../src/consumer/index.js';
import { BLACK, Canvas, RED, WHITE } from './canvas.js';
import { FAKE_CLOUDS, type FakeCloud } from './fake-provider/clouds.js';
import { type Behaviour, FAKE_KEY, FakeProvider } from './fake-provider.js';
import { ManualSource } from './manual-source.js';
import { seededRandom } from './prng.js';

export interface ChaosOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Of tokens, in any minute, for all streams. */
  readonly budget: number;
}

/** One stream for each wire format, and everything that is wrong; nothing is, in the end. */
export interface ChaosReport {
  readonly streams: readonly { readonly title: string; readonly counts: ReturnType<Watch['counts']> }[];
  /** Requests that the server took in. */
  readonly requests: number;
  /** Tokens that it could have billed within a minute, at most. */
  readonly mostBilled: number;
  readonly problems: readonly string[];
}

interface Stream {
  readonly title: string;
  readonly adaptor: Adaptor;
  readonly source: ManualSource;
  readonly canvas: Canvas;
  readonly watch: Watch;
}

type Below = (limit: number) => number;

/** What follows the head of an answer that was reserved a moment before arrives within this time. */
const ON_THE_WAY_MS = 3000;
const MINUTE_MS = 60_000;
const SCRIPTED = 200;

/** What a bad day brings: refusals, failures, connections that are cut, answers that are slow or broken. */
export function misfortune(below: Below, longestHoldMs: number): Behaviour {
  const noRetry = { 'x-should-retry': 'false' };
  switch (below(9)) {
    case 0:
      return { kind: 'status', status: 429, headers: { 'retry-after-ms': `${10 + below(60)}`, ...noRetry } };
    case 1:
      return { kind: 'status', status: 500, headers: noRetry };
    case 2:
      return { kind: 'cut' };
    case 3:
      return { kind: 'truncate' };
    case 4:
      return { kind: 'stream-error' };
    case 5:
      return { kind: 'hold', until: sleep(below(longestHoldMs)) };
    default:
      return { kind: 'answer', deltas: ['All ', 'is ', 'well.'] };
  }
}

/** Has every wire format watched at once for so long, with everything that a provider can do wrong. */
export async function chaos({ seconds, seed, budget: cap }: ChaosOptions): Promise<ChaosReport> {
  const { below } = seededRandom(seed);
  const problems = new Set<string>();
  const folder = mkdtempSync(join(tmpdir(), 'cap-chaos-'));
  const server = await FakeProvider.start();
  const streams: Stream[] = [];
  const billed: { readonly atMs: number; readonly tokens: number }[] = [];
  try {
    const queue = new RequestQueue({ concurrency: 8 });
    for (const [at, cloud] of FAKE_CLOUDS.entries()) {
      const next = FAKE_CLOUDS[(at + 1) % FAKE_CLOUDS.length] ?? cloud;
      const budget = new Budget({ limits: [parseBudget(`${cap}-tokens/min`)], folder, stream: cloud.title });
      streams.push(await openStream(server, cloud, next, { budget, queue }, problems));
    }
    const endMs = performance.now() + 1000 * seconds;
    for (let scripted = 0; performance.now() < endMs; ) {
      // What a request meets is scripted shortly before: a slow answer's time begins then.
      for (; scripted < server.attempts + SCRIPTED; scripted += 1) server.script(misfortune(below, 4000));
      for (const stream of streams) step(stream, below, problems);
      collect(server, billed);
      await sleep(20 + below(40));
    }
    for (const { watch } of streams) await watch.close();
    collect(server, billed);
    for (const { title, watch } of streams) concludes(title, watch, problems);
    const mostBilled = mostWithin(billed, MINUTE_MS - ON_THE_WAY_MS);
    if (mostBilled > cap) problems.add(`the budget of ${cap} tokens was passed: ${mostBilled}`);
    const told = streams.map(({ title, watch }) => ({ title, counts: watch.counts() }));
    return { streams: told, requests: billed.length, mostBilled, problems: [...problems] };
  } finally {
    for (const { watch, adaptor } of streams) {
      await watch.close();
      await adaptor.close();
    }
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

async function openStream(
  server: FakeProvider,
  cloud: FakeCloud,
  next: FakeCloud,
  shared: { readonly budget: Budget; readonly queue: RequestQueue },
  problems: Set<string>,
): Promise<Stream> {
  const open = ({ name, model, api, basePath }: FakeCloud): Promise<Adaptor> =>
    openAdaptor(name, { model, apiKey: FAKE_KEY, baseUrl: `${server.origin}${basePath}`, ...(api ? { api } : {}) });
  const adaptor = await open(cloud);
  const source = new ManualSource();
  const watch = new Watch(source, adaptor, {
    ...shared,
    everyMs: 0,
    concurrency: 3,
    fallbacks: [await open(next)],
    staleAfterMs: 5000,
    timeoutMs: 1500,
    maxOutputTokens: 200,
    backOffMs: 5,
    maxBackOffMs: 100,
    gate: { settleMs: 0 },
  });
  let last = -1;
  const inOrder = (sequence: number): void => {
    if (sequence <= last) problems.add(`${cloud.title}: frame ${sequence} was told after ${last}`);
    last = sequence;
  };
  watch.on('answered', ({ frameNumber, text }) => {
    inOrder(frameNumber);
    if (text === '') problems.add(`${cloud.title}: an empty answer`);
  });
  watch.on('failed', ({ code, message }, frame) => {
    inOrder(frame.sequence);
    if (code !== 'CAP_PROVIDER_UNAVAILABLE') problems.add(`${cloud.title}: ${code}: ${message}`);
  });
  watch.on('ended', (error) => {
    if (error) problems.add(`${cloud.title} ended: ${error.code}: ${error.message}`);
  });
  return { title: cloud.title, adaptor, source, canvas: new Canvas(), watch };
}

function step({ title, source, canvas, watch }: Stream, below: Below, problems: Set<string>): void {
  if (below(3) === 0) {
    canvas.fill({ x: below(300), y: below(220), width: 20, height: 20 }, [BLACK, WHITE, RED][below(3)] ?? RED);
    source.show(canvas.frame());
  }
  const { seen, ...outcomes } = watch.counts();
  const sum = Object.values(outcomes).reduce((all, count) => all + count, 0);
  if (sum !== seen) problems.add(`${title}: ${seen} frames seen, and ${sum} accounted for`);
}

/** Forgets what was asked but for what it could be billed: a long run holds no pictures. */
function collect(server: FakeProvider, billed: { atMs: number; tokens: number }[]): void {
  for (const { images } of server.requests.splice(0)) {
    billed.push({ atMs: performance.now(), tokens: 100 + 10 * images.length + 3 });
  }
}

function concludes(title: string, watch: Watch, problems: Set<string>): void {
  const { pending } = watch.counts();
  if (pending !== 0) problems.add(`${title}: ${pending} frames are left`);
}

function mostWithin(billed: readonly { readonly atMs: number; readonly tokens: number }[], windowMs: number): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const { atMs, tokens } of billed) {
    sum += tokens;
    for (; (billed[first]?.atMs ?? atMs) < atMs - windowMs; first += 1) sum -= billed[first]?.tokens ?? 0;
    most = Math.max(most, sum);
  }
  return most;
}
