import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RequestQueue } from '../../../src/consumer/index.js';
import { CircuitBreaker } from '../../../src/consumer/queue/circuit-breaker.js';
import { TokenRate } from '../../../src/consumer/queue/token-rate.js';
import { CapError } from '../../../src/core/index.js';

const down = new CapError('CAP_PROVIDER_UNAVAILABLE', 'down');

test('01 no more requests run at the same time than may, in the order in which they came', async () => {
  const queue = new RequestQueue({ concurrency: 2 });
  let running = 0;
  let most = 0;
  const started: number[] = [];
  const request = async (index: number) => {
    started.push(index);
    running += 1;
    most = Math.max(most, running);
    await sleep(5);
    running -= 1;
    return index;
  };
  const results = await Promise.all([0, 1, 2, 3, 4].map((index) => queue.run(1, () => request(index), undefined)));
  expect({ most, started, results }).toEqual({ most: 2, started: [0, 1, 2, 3, 4], results: [0, 1, 2, 3, 4] });
});

test('02 what waits for its turn can be called back', async () => {
  const queue = new RequestQueue({ requestsPerMinute: 1 });
  await queue.run(1, async () => {}, undefined);
  const controller = new AbortController();
  let ran = false;
  const request = async () => {
    ran = true;
  };
  const waiting = queue.run(1, request, controller.signal);
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(ran).toBe(false);
});

test('03 tokens leave no faster than they may within any window', async () => {
  const windowMs = 200;
  const rate = new TokenRate(100, windowMs);
  const taken: { atMs: number; tokens: number }[] = [];
  await Promise.all(
    [60, 30, 20, 90, 10, 250, 40].map(async (tokens) => {
      await rate.take(tokens, undefined);
      taken.push({ atMs: performance.now(), tokens });
    }),
  );
  expect(taken.map(({ tokens }) => tokens)).toEqual([60, 30, 20, 90, 10, 250, 40]);
  for (const { atMs, tokens } of taken) {
    // A few milliseconds pass between the permit and the note of it.
    const before = taken.filter((one) => one.atMs < atMs && one.atMs > atMs - windowMs + 20);
    const sum = before.reduce((total, one) => total + one.tokens, tokens);
    if (before.length > 0) expect(sum).toBeLessThanOrEqual(100);
  }
});

test('04 rates that cannot be are refused', () => {
  expect(() => new RequestQueue({ requestsPerMinute: 0 })).toThrow('requestsPerMinute');
  expect(() => new RequestQueue({ perMinute: 3 } as object)).toThrow('unknown option "perMinute"');
});

test('05 a circuit opens with a failure, longer with each, and lets one request try', () => {
  const breaker = new CircuitBreaker({ backOffMs: 1000, maxBackOffMs: 3000 });
  expect(breaker.waitMs(0)).toBe(0);
  const pauses = [1, 2, 3, 4].map(() => {
    breaker.begin();
    breaker.failed(down, 0);
    return breaker.waitMs(0);
  });
  for (const [index, nominal] of [1000, 2000, 3000, 3000].entries()) {
    expect(pauses[index]).toBeLessThanOrEqual(nominal);
    expect(pauses[index]).toBeGreaterThanOrEqual(nominal * 0.75);
  }
  expect(breaker.waitMs(3000)).toBe(0);
  breaker.begin();
  expect(breaker.waitMs(3000)).toBeGreaterThan(0);
  breaker.succeeded();
  expect(breaker.waitMs(3000)).toBe(0);
});

test('06 the pause that the provider names is kept', () => {
  const breaker = new CircuitBreaker({ backOffMs: 1 });
  breaker.failed(new CapError('CAP_PROVIDER_UNAVAILABLE', 'busy', { retryAfterMs: 7000 }), 1000);
  expect(breaker.waitMs(1000)).toBe(7000);
  // A request that was under way before does not shorten it.
  breaker.failed(down, 1500);
  expect(breaker.waitMs(1500)).toBe(6500);
});
