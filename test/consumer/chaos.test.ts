import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Budget, openAdaptor, parseBudget, type Receipt, RequestQueue, Watch } from '../../src/consumer/index.js';
import { BLACK, Canvas, RED, WHITE } from '../support/canvas.js';
import { chaos, misfortune } from '../support/chaos.js';
import { FAKE_CLOUDS } from '../support/fake-provider/clouds.js';
import { FAKE_KEY, FakeProvider } from '../support/fake-provider.js';
import { ManualSource } from '../support/manual-source.js';
import { seededRandom } from '../support/prng.js';
import { ScriptAdaptor } from '../support/script-adaptor.js';

let server: FakeProvider;
let folder: string;
beforeAll(async () => {
  server = await FakeProvider.start();
  folder = mkdtempSync(join(tmpdir(), 'cap-chaos-'));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface JournalLine {
  readonly id: string;
  readonly tokens: number;
}

/** The most that the account ever said was spent, leaving out what was taken back as it did not fit. */
function highestTotal(): number {
  const lines = readdirSync(folder)
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalLine);
  const undone = new Set(lines.filter(({ tokens }) => tokens === 0).map(({ id }) => id));
  const current = new Map<string, number>();
  let highest = 0;
  for (const { id, tokens } of lines.filter((line) => !undone.has(line.id))) {
    current.set(id, tokens);
    highest = Math.max(
      highest,
      [...current.values()].reduce((sum, one) => sum + one, 0),
    );
  }
  return highest;
}

test('with everything that a provider can do wrong, accounts add up, order is kept and the budget holds', async () => {
  const { below } = seededRandom(11);
  server.script(...Array.from({ length: 400 }, () => misfortune(below, 6000)));
  const cap = 6000;
  const anthropic = await openAdaptor('anthropic', { apiKey: FAKE_KEY, baseUrl: server.origin });
  const openai = await openAdaptor('openai', { apiKey: FAKE_KEY, baseUrl: server.baseUrl });
  const source = new ManualSource();
  const canvas = new Canvas();
  await using watch = new Watch(source, anthropic, {
    everyMs: 0,
    concurrency: 3,
    fallbacks: [openai],
    staleAfterMs: 5000,
    timeoutMs: 1500,
    maxOutputTokens: 200,
    backOffMs: 5,
    maxBackOffMs: 100,
    queue: new RequestQueue({ concurrency: 2, tokensPerMinute: 1_000_000 }),
    budget: new Budget({ limits: [parseBudget(`${cap}-tokens/h`)], folder, stream: 'chaos' }),
    gate: { settleMs: 0 },
  });
  const receipts: Receipt[] = [];
  const steps: string[] = [];
  const told: number[] = [];
  const codes = new Set<string>();
  watch.on('answered', (answer, receipt) => {
    receipts.push(receipt);
    told.push(answer.frameNumber);
  });
  watch.on('failed', (error, frame) => {
    codes.add(error.code);
    told.push(frame.sequence);
  });
  watch.on('fellBack', (error) => codes.add(error.code));
  watch.on('budget', (step) => steps.push(step));
  const deadline = performance.now() + 45_000;
  while (!steps.includes('stopped') && performance.now() < deadline) {
    canvas.fill({ x: below(300), y: below(220), width: 20, height: 20 }, [BLACK, WHITE, RED][below(3)] ?? RED);
    source.show(canvas.frame());
    await sleep(10 + below(30));
    const { seen, ...outcomes } = watch.counts();
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(seen);
  }
  await watch.close();
  await anthropic.close();
  await openai.close();

  expect(await watch.finished).toBeUndefined();
  expect(steps).toEqual(expect.arrayContaining(['slower', 'stopped']));
  // One request may take the budget past a step.
  expect(steps.some((step) => step === 'smaller' || step === 'deltas')).toBe(true);
  expect([...codes]).toEqual(['CAP_PROVIDER_UNAVAILABLE']);
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(new Set(receipts.map(({ provider }) => provider))).toEqual(new Set(['anthropic', 'openai']));
  const { seen, pending, answered, overBudget, ...others } = watch.counts();
  expect({ pending, answered }).toEqual({ pending: 0, answered: receipts.length });
  expect(overBudget).toBeGreaterThan(0);
  expect(Object.values(others).reduce((sum, count) => sum + count, answered + overBudget)).toBe(seen);

  expect(highestTotal()).toBeLessThanOrEqual(cap);
  // What the server took in, whole or not, is what it could have billed.
  const billable = server.requests.reduce((sum, request) => sum + 100 + 10 * request.images.length + 3, 0);
  expect(billable).toBeLessThanOrEqual(cap);
  for (const receipt of receipts) {
    expect(receipt.estimatedTokens).toBeGreaterThanOrEqual(
      (receipt.billedTokens?.inputTokens ?? 0) + (receipt.billedTokens?.outputTokens ?? 0),
    );
  }
}, 90_000);

test('all wire formats at once stand it, in order, accounted for and within a budget that they share', async () => {
  const { streams, mostBilled, problems } = await chaos({ seconds: 8, seed: 3, budget: 60_000 });
  expect(problems).toEqual([]);
  expect(streams).toHaveLength(FAKE_CLOUDS.length);
  expect(streams.reduce((sum, { counts }) => sum + counts.answered, 0)).toBeGreaterThan(0);
  expect(mostBilled).toBeGreaterThan(0);
}, 90_000);

test('pictures are sent at half their pixels when the end nears, and then only the local provider is asked', async () => {
  const own = mkdtempSync(join(tmpdir(), 'cap-steps-'));
  try {
    const paid = new ScriptAdaptor();
    const local = new ScriptAdaptor('local');
    const request = { tokens: 0 };
    paid.answer = async ({ images }) => {
      request.tokens = images.reduce((sum, image) => sum + paid.imageCost(image).tokens, 0);
      return { usage: { inputTokens: 900, outputTokens: 100 } };
    };
    const source = new ManualSource();
    const canvas = new Canvas();
    await using watch = new Watch(source, paid, {
      everyMs: 0,
      maxOutputTokens: 100,
      fallbacks: [local],
      gate: { settleMs: 0 },
      budget: new Budget({ limits: [parseBudget('10k-tokens/day')], folder: own }),
    });
    const receipts: Receipt[] = [];
    const steps: string[] = [];
    watch.on('answered', (_answer, receipt) => receipts.push(receipt));
    watch.on('budget', (step) => steps.push(step));
    for (let count = 1; count <= 11; count += 1) {
      source.show(canvas.fill({ x: count * 20, y: 0, width: 16, height: 16 }, BLACK).frame());
      await expect.poll(() => receipts.length, { timeout: 20_000 }).toBe(count);
    }
    expect(steps).toEqual(['slower', 'smaller', 'local']);
    expect(receipts.map(({ provider }) => provider)).toEqual([...Array(9).fill('script'), 'local', 'local']);
    const pixels = (index: number) => {
      const { width = 0, height = 0 } = receipts[index]?.images[0] ?? {};
      return width * height;
    };
    expect([pixels(0), pixels(7)]).toEqual([320 * 240, 320 * 240]);
    expect(pixels(8) / pixels(0)).toBeGreaterThan(0.4);
    expect(pixels(8) / pixels(0)).toBeLessThanOrEqual(0.55);
  } finally {
    rmSync(own, { recursive: true });
  }
}, 90_000);

test('a budget in dollars needs a price, and the receipt says what was paid', async () => {
  const own = mkdtempSync(join(tmpdir(), 'cap-price-'));
  try {
    const budget = new Budget({ limits: [parseBudget('$1/day')], folder: own });
    const adaptor = new ScriptAdaptor();
    adaptor.answer = async () => ({ usage: { inputTokens: 1000, outputTokens: 10 } });
    const source = new ManualSource();
    expect(() => new Watch(source, adaptor, { budget })).toThrow('the price of script-1 is not known');
    await using watch = new Watch(source, adaptor, { budget, price: { inputUsd: 2, outputUsd: 10 } });
    const receipts: Receipt[] = [];
    watch.on('answered', (_answer, receipt) => receipts.push(receipt));
    source.push();
    await expect.poll(() => receipts.length).toBe(1);
    expect(receipts[0]?.costUsd).toBeCloseTo(0.0021, 9);
    expect(budget.usedShare()).toBeCloseTo(0.0021, 9);
  } finally {
    rmSync(own, { recursive: true });
  }
});
