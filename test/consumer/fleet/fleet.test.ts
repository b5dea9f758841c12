import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FleetClientOptions } from '../../../src/consumer/fleet/fleet-client.js';
import { KEY_PREFIX, queueName } from '../../../src/consumer/fleet/fleet-job.js';
import { JobRunner } from '../../../src/consumer/fleet/job-runner.js';
import { JobStore } from '../../../src/consumer/fleet/job-store.js';
import {
  FleetAdaptor,
  FleetBudget,
  FleetClient,
  openAdaptor,
  parseBudget,
  parseQueueAddress,
  type Receipt,
  RedisLink,
  Watch,
} from '../../../src/consumer/index.js';
import type { Closable } from '../../../src/core/index.js';
import { type CapError, createStreamLogger, silentLogger } from '../../../src/core/index.js';
import { WorkerSession, type WorkerSessionOptions } from '../../../src/session/worker-session.js';
import { FAKE_KEY, FakeProvider } from '../../support/fake-provider.js';
import { ManualSource } from '../../support/manual-source.js';
import { seededRandom } from '../../support/prng.js';
import { RedisServer } from '../../support/redis-server.js';

let redis: RedisServer;
let server: FakeProvider;
const open: Closable[] = [];

beforeAll(async () => {
  server = await FakeProvider.start();
});
// One for each test: nothing that a worker of another test left is counted.
beforeEach(async () => {
  redis = await RedisServer.start();
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await redis.close();
  server.reset();
});
afterAll(() => server?.close());

function keep<One extends Closable>(one: One): One {
  open.push(one);
  return one;
}

async function worker(options: Partial<WorkerSessionOptions> = {}): Promise<WorkerSession> {
  const models = [{ provider: 'anthropic', apiKey: FAKE_KEY, baseUrl: server.origin }];
  return keep(await WorkerSession.open(redis.url, { models, ...options }));
}

async function watch(options: ConstructorParameters<typeof Watch>[2] = {}, limits: FleetClientOptions = {}) {
  const client = keep(await FleetClient.open(redis.url, limits));
  const adaptor = keep(await FleetAdaptor.open(client, { provider: 'anthropic', stream: 'rtsp://127.0.0.1/cap' }));
  const source = new ManualSource();
  const queue = new Queue(queueName('anthropic', adaptor.model), {
    connection: { port: redis.port },
    prefix: KEY_PREFIX,
    skipVersionCheck: true,
  });
  open.push(queue);
  return {
    client,
    waiting: () => queue.getWaitingCount(),
    source,
    watch: keep(new Watch(source, adaptor, { everyMs: 0, gate: false, ...options })),
  };
}

test('a worker asks, and the watch has its answer and receipt as if it had asked itself', async () => {
  await worker();
  const one = await watch();
  const answers: [string, Receipt][] = [];
  one.watch.on('answered', ({ text }, receipt) => answers.push([text, receipt]));
  one.source.push();
  await expect.poll(() => answers.length).toBe(1);
  expect(answers[0]?.[0]).toBe('A terminal shows a finished build.');
  expect(answers[0]?.[1]).toMatchObject({ attempts: 1, provider: 'anthropic', reason: 'ungated' });
});

test('answers are told in the order of the frames, whoever is slow', async () => {
  await worker();
  await worker();
  const { below } = seededRandom(5);
  server.script(...Array.from({ length: 12 }, () => ({ kind: 'hold', until: sleep(below(150)) }) as const));
  const one = await watch({ concurrency: 4 });
  const told: number[] = [];
  one.watch.on('answered', ({ frameNumber }) => told.push(frameNumber));
  while (told.length < 12) {
    if (one.watch.counts().pending < 4) one.source.push();
    await sleep(5);
  }
  expect(told).toEqual([...told].sort((a, b) => a - b));
});

test('when the queue is full the oldest request goes, and counts as superseded by newer ones', async () => {
  const one = await watch({ concurrency: 5 }, { maxWaiting: 2 });
  for (let frame = 1; frame <= 5; frame += 1) {
    one.source.push();
    await expect.poll(() => one.waiting()).toBe(Math.min(frame, 2));
    await expect.poll(() => one.watch.counts().superseded).toBe(Math.max(0, frame - 2));
  }
  expect(one.watch.counts()).toMatchObject({ seen: 5, superseded: 3, pending: 2 });
  const told: number[] = [];
  one.watch.on('answered', ({ frameNumber }) => told.push(frameNumber));
  await worker();
  await expect.poll(() => told).toEqual([3, 4]);
  expect(await one.waiting()).toBe(0);
});

test('a frame that no worker takes in time is stale, and nobody asks it later', async () => {
  const one = await watch({ staleAfterMs: 300 });
  one.source.push();
  await expect.poll(() => one.watch.counts().stale).toBe(1);
  expect(await one.waiting()).toBe(0);
  await worker();
  const patient = await watch();
  const answered = new Promise((resolve) => patient.watch.on('answered', resolve));
  patient.source.push();
  await answered;
  expect(server.requests).toHaveLength(1);
});

test('what nobody has begun is taken back when the watch is closed', async () => {
  const one = await watch();
  one.source.push();
  await expect.poll(() => one.waiting()).toBe(1);
  await one.watch.close();
  await one.client.close();
  expect(await one.waiting()).toBe(0);
  expect(one.watch.counts()).toMatchObject({ seen: 1, aborted: 1, pending: 0 });
});

test('a budget holds for all workers, also those that were told of none, and the watch waits for room', async () => {
  const cap = 3000;
  const told = await worker({ budget: [parseBudget(`${cap}-tokens/h`)] });
  await worker();
  const one = await watch({ concurrency: 3, maxOutputTokens: 100 });
  const stop = setInterval(() => one.source.push(), 5);
  try {
    await expect.poll(() => one.watch.counts().overBudget).toBeGreaterThan(0);
  } finally {
    clearInterval(stop);
  }
  await one.watch.close();
  const { seen, pending, ...outcomes } = one.watch.counts();
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, pending)).toBe(seen);
  expect(outcomes.answered).toBeGreaterThan(2);
  const billable = server.requests.reduce((sum, request) => sum + 100 + 10 * request.images.length + 3, 0);
  expect(billable).toBeLessThanOrEqual(cap);
  await told.close();
  await worker({ budget: [] });
  const free = await watch();
  free.source.push();
  await expect.poll(() => free.watch.counts().answered).toBe(1);
});

test('a worker whose key is refused leaves its request to one whose key is taken', async () => {
  const wrong = await worker({ models: [{ provider: 'anthropic', apiKey: 'another-key', baseUrl: server.origin }] });
  const ended = new Promise<CapError>((resolve) => wrong.worker.on('ended', resolve));
  const one = await watch();
  const receipts: Receipt[] = [];
  one.watch.on('answered', (_answer, receipt) => receipts.push(receipt));
  one.source.push();
  expect(await ended).toMatchObject({ code: 'CAP_PROVIDER_AUTH' });
  await wrong.close();
  await worker();
  await expect.poll(() => receipts).toMatchObject([{ attempts: 2 }]);
  expect(one.watch.counts()).toMatchObject({ answered: 1, failed: 0 });
});

test('what a provider refuses fails as it does without a queue; the pause that it asks for is kept by all workers', async () => {
  await worker();
  await worker();
  const status = (code: number, headers = {}) =>
    ({ kind: 'status', status: code, headers: { 'x-should-retry': 'false', ...headers } }) as const;
  const first = await watch({ backOffMs: 1 });
  const errors: CapError[] = [];
  first.watch.on('failed', (error) => errors.push(error));
  server.script(status(400));
  first.source.push();
  await expect.poll(() => errors).toMatchObject([{ code: 'CAP_PROVIDER_REJECTED' }]);
  expect(errors[0]?.message).toContain('scripted 400');

  server.script(status(429, { 'retry-after-ms': '1500' }));
  const askedAtMs = performance.now();
  first.source.push();
  await expect.poll(() => errors[1]).toMatchObject({ code: 'CAP_PROVIDER_UNAVAILABLE', retryAfterMs: 1500 });
  const other = await watch();
  const answered = new Promise((resolve) => other.watch.on('answered', resolve));
  other.source.push();
  await answered;
  expect(performance.now() - askedAtMs).toBeGreaterThanOrEqual(1500);
});

test('a worker that is closed finishes what it can, and leaves the rest to others', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.script({ kind: 'hold', until: held }, { kind: 'hold', until: new Promise(() => {}) });
  const first = await worker({ worker: { graceMs: 3000 } });
  const one = await watch({ concurrency: 2 });
  const receipts: Receipt[] = [];
  one.watch.on('answered', (_answer, receipt) => receipts.push(receipt));
  for (let frame = 1; frame <= 2; frame += 1) {
    one.source.push();
    await expect.poll(() => server.requests.length).toBe(frame);
  }
  const closing = first.close();
  release();
  await expect.poll(() => receipts).toMatchObject([{ attempts: 1 }]);
  await closing;
  expect(first.worker.counts()).toMatchObject({ answered: 1, again: 1 });
  await worker();
  await expect.poll(() => receipts).toMatchObject([{ attempts: 1 }, { attempts: 2 }]);
});

test('an answer that a worker kept before it was lost is not asked for again', async () => {
  const one = await watch();
  const answers: string[] = [];
  one.watch.on('answered', ({ text }) => answers.push(text));
  const link = keep(await RedisLink.open(parseQueueAddress(redis.url), silentLogger));
  const adaptor = keep(await openAdaptor('anthropic', { apiKey: FAKE_KEY, baseUrl: server.origin }));
  const model = { price: undefined, isFree: true, adaptor: async () => adaptor };
  const runner = new JobRunner(new JobStore(link.redis), new FleetBudget(link.redis), model);
  // Takes a request as a worker does, and says nothing more of it once its answer is kept.
  const lost = new Worker(queueName('anthropic', adaptor.model), null, {
    connection: link.redis,
    prefix: KEY_PREFIX,
    skipVersionCheck: true,
    lockDuration: 500,
    skipStalledCheck: true,
  });
  open.push(lost);
  one.source.push();
  await expect.poll(() => one.waiting()).toBe(1);
  const job = await lost.getNextJob('lost');
  expect(await runner.run(job?.id ?? '', job?.data, new AbortController().signal)).toMatchObject({ kind: 'replied' });
  await expect.poll(() => answers.length).toBe(1);
  const next = await worker({ worker: { lostAfterMs: 500 } });
  await expect.poll(() => next.worker.counts().known).toBe(1);
  expect(server.attempts).toBe(1);
  expect(answers).toHaveLength(1);
  // Nothing of it is left but its reply, which goes by itself.
  const left = [`cap:answer:${job?.id}`, `cap:attempts:${job?.id}`];
  await expect.poll(async () => (await link.redis.keys(`*${job?.id}*`)).sort()).toEqual(left);
  for (const key of left) expect(await link.redis.pttl(key)).toBeGreaterThan(0);
});

test('requests in the queue survive a Redis that is killed, and answers reach the watch afterwards', async () => {
  const own = await RedisServer.start();
  try {
    const lines: string[] = [];
    const stream = { write: (line: string) => lines.push(line) };
    const client = await FleetClient.open(own.url, { logger: createStreamLogger({ stream }) });
    const adaptor = await FleetAdaptor.open(client, { provider: 'anthropic', stream: 'one' });
    const asked = Array.from({ length: 3 }, (_, at) => adaptor.ask({ prompt: `question ${at}`, images: [] }));
    const queue = new Queue(queueName('anthropic', adaptor.model), {
      connection: { port: own.port },
      prefix: KEY_PREFIX,
    });
    await expect.poll(() => queue.getWaitingCount()).toBe(3);
    await queue.close();
    await own.kill();
    await expect.poll(() => lines.length).toBe(1);
    await own.revive();
    const models = [{ provider: 'anthropic', apiKey: FAKE_KEY, baseUrl: server.origin }];
    const late = await WorkerSession.open(own.url, { models });
    expect((await Promise.all(asked)).map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    await late.close();
    await adaptor.close();
    await client.close();
    expect(lines).toEqual([
      expect.stringMatching(/^warn: the queue at redis:\S+ is out of reach: .*; trying again\n$/),
      expect.stringMatching(/^the queue at redis:\S+ is back\n$/),
    ]);
  } finally {
    await own.close();
  }
});

test('both sides close while Redis is away', async () => {
  const own = await RedisServer.start();
  try {
    const client = await FleetClient.open(own.url);
    const adaptor = await FleetAdaptor.open(client, { provider: 'anthropic', stream: 'one' });
    const models = [{ provider: 'openai', apiKey: FAKE_KEY, baseUrl: server.baseUrl }];
    const idle = await WorkerSession.open(own.url, { models });
    const asked = adaptor.ask({ prompt: 'What?', images: [] }).catch((error: CapError) => error.code);
    const queue = new Queue(queueName('anthropic', adaptor.model), {
      connection: { port: own.port },
      prefix: KEY_PREFIX,
    });
    await expect.poll(() => queue.getWaitingCount()).toBe(1);
    await queue.close();
    await own.kill();
    await adaptor.close();
    expect(await asked).toBe('CAP_CLOSED');
    await client.close();
    await idle.close();
  } finally {
    await own.close();
  }
});
