import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FleetAdaptor, FleetClient, type Receipt, Watch } from '../../../src/consumer/index.js';
import { buildCommands, startCap } from '../../support/cap.js';
import { FAKE_KEY, FakeProvider } from '../../support/fake-provider.js';
import { frameOf } from '../../support/frames.js';
import { ManualSource } from '../../support/manual-source.js';
import { seededRandom } from '../../support/prng.js';
import type { RunningProcess } from '../../support/process.js';
import { RedisServer } from '../../support/redis-server.js';

const FRAMES = 40;
const KILLS = 4;
const WORKERS = 3;

let redis: RedisServer;
let server: FakeProvider;
const workers: RunningProcess[] = [];

beforeAll(async () => {
  await buildCommands();
  redis = await RedisServer.start();
  server = await FakeProvider.start();
  for (let count = 0; count < WORKERS; count += 1) workers.push(startWorker());
}, 120_000);
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await server?.close();
  await redis?.close();
});

const startWorker = (): RunningProcess =>
  startCap(
    ['worker', '--provider', 'anthropic', '--base-url', server.origin, '--concurrency', '2', '--lost-after', '2s'],
    {
      env: { CAP_QUEUE_URL: redis.url, ANTHROPIC_API_KEY: FAKE_KEY },
    },
  );

/** Kills workers while requests are under way, Redis once, and puts others in their place. */
async function misfortune(below: (limit: number) => number): Promise<void> {
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const after = server.requests.length + 2 + below(4);
    await expect.poll(() => server.requests.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(after);
    await sleep(below(100));
    const at = below(WORKERS);
    await workers[at]?.waitForOutput(/^asking /m, 30_000, 2);
    workers[at]?.killGroup();
    await workers[at]?.exited;
    workers[at] = startWorker();
    if (kill !== KILLS / 2) continue;
    await redis.kill();
    await redis.revive();
  }
}

test('workers and Redis are killed at random, and every frame is answered once, and asked no more often than it says', async () => {
  const { below } = seededRandom(23);
  server.script(...Array.from({ length: 100 }, () => ({ kind: 'hold', until: sleep(100 + below(200)) }) as const));
  await using client = await FleetClient.open(redis.url);
  await using adaptor = await FleetAdaptor.open(client, { provider: 'anthropic', stream: 'rtsp://127.0.0.1/cap' });
  const source = new ManualSource();
  await using watch = new Watch(source, adaptor, { everyMs: 0, gate: false, concurrency: 6 });
  const receipts: Receipt[] = [];
  watch.on('answered', (_answer, receipt) => receipts.push(receipt));
  const failures: string[] = [];
  watch.on('failed', ({ message }) => failures.push(message));
  const unlucky = misfortune(below);
  for (let frame = 0; frame < FRAMES; ) {
    if (frame - receipts.length - watch.counts().superseded < 6) {
      const size = { width: 64, height: 48 };
      source.show(frameOf(Buffer.alloc(size.width * size.height * 3, 5 * frame), size));
      frame += 1;
    }
    await sleep(5);
  }
  await unlucky;
  await expect.poll(() => watch.counts().pending, { timeout: 60_000 }).toBe(0);

  expect(failures).toEqual([]);
  const { seen, answered, superseded, ...others } = watch.counts();
  // Those that the watch itself had not taken yet when a newer one was there.
  expect({ seen, superseded }).toEqual({ seen: FRAMES, superseded: FRAMES - receipts.length });
  expect(answered).toBe(receipts.length);
  expect(answered).toBeGreaterThan(FRAMES / 2);
  expect(new Set(Object.values(others))).toEqual(new Set([0]));
  const told = receipts.map(({ frameNumber }) => frameNumber);
  expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
  const asked = server.requests.map(({ images }) =>
    images.map(({ data }) => createHash('sha256').update(data).digest('hex')).join(),
  );
  for (const { images, attempts = 0 } of receipts) {
    const times = asked.filter((one) => one === images.map(({ sha256 }) => sha256).join()).length;
    expect(times).toBeGreaterThanOrEqual(1);
    expect(times).toBeLessThanOrEqual(attempts);
  }
  const attempts = receipts.reduce((sum, receipt) => sum + (receipt.attempts ?? 0), 0);
  expect(asked.length).toBeLessThanOrEqual(attempts);
}, 120_000);
