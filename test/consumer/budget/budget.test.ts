import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Budget, parseBudget } from '../../../src/consumer/index.js';
import { CapError } from '../../../src/core/index.js';
import { buildLibrary } from '../../support/library.js';
import { seededRandom } from '../../support/prng.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-budget-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const tokens = (count: number) => ({ tokens: count, usd: 0 });

function refusal(action: () => unknown): CapError {
  try {
    action();
  } catch (error) {
    if (error instanceof CapError) return error;
  }
  throw new Error('expected a CapError');
}

test('01 amounts are read as they are written', () => {
  expect(parseBudget('200k-tokens/h')).toEqual({ amount: 200_000, unit: 'tokens', windowMs: 3_600_000 });
  expect(parseBudget('1.5M-tokens/day')).toEqual({ amount: 1_500_000, unit: 'tokens', windowMs: 86_400_000 });
  expect(parseBudget('$2/day')).toEqual({ amount: 2, unit: 'usd', windowMs: 86_400_000 });
  expect(parseBudget('$0.05/min')).toEqual({ amount: 0.05, unit: 'usd', windowMs: 60_000 });
  for (const wrong of ['2/day', '$0/day', '200k/h', '$2/week', '-1-tokens/h', '']) {
    expect(() => parseBudget(wrong, '--budget')).toThrow(
      'expected a budget such as 200k-tokens/h or $2/day for --budget',
    );
  }
});

test('02 the most that a request can cost is taken, and what it did not cost given back', () => {
  const budget = new Budget({ limits: [parseBudget('1000-tokens/h')], folder });
  const first = budget.reserve(tokens(600));
  expect(refusal(() => budget.reserve(tokens(600))).code).toBe('CAP_BUDGET_EXHAUSTED');
  first.settle(tokens(300));
  expect(budget.usedShare()).toBe(0.3);
  budget.reserve(tokens(600)).settle(tokens(500));
  expect(budget.usedShare()).toBe(0.8);
});

test('03 there is room again when the oldest has left the window, and no sooner', () => {
  let nowMs = Date.UTC(2026, 4, 1, 23, 59, 0);
  const budget = new Budget({ limits: [parseBudget('1000-tokens/h')], folder }, () => nowMs);
  budget.reserve(tokens(700));
  nowMs += 600_000;
  budget.reserve(tokens(300));
  const { retryAfterMs = 0 } = refusal(() => budget.reserve(tokens(500)));
  expect(retryAfterMs).toBe(3_000_000);
  nowMs += retryAfterMs - 1;
  expect(refusal(() => budget.reserve(tokens(500))).retryAfterMs).toBe(1);
  nowMs += 1;
  budget.reserve(tokens(500));
});

test('04 several limits hold at once, in tokens and dollars, for a stream and for all', () => {
  const limits = [parseBudget('10k-tokens/h'), parseBudget('$1/day')];
  const streamLimits = [parseBudget('4k-tokens/h')];
  const desk = new Budget({ limits, streamLimits, stream: 'desk', folder });
  const door = new Budget({ limits, streamLimits, stream: 'door', folder });
  desk.reserve({ tokens: 3000, usd: 0.5 });
  expect(refusal(() => desk.reserve({ tokens: 3000, usd: 0 })).message).toContain('4000 tokens an hour');
  expect(refusal(() => door.reserve({ tokens: 1000, usd: 0.6 })).message).toContain('$1 a day');
  door.reserve({ tokens: 3900, usd: 0.1 });
  expect(desk.usedShare()).toBe(0.75);
  expect(door.usedShare()).toBe(0.975);
});

test('05 steps are taken as the end nears', () => {
  const budget = new Budget({ limits: [parseBudget('1000-tokens/h')], folder });
  const steps = [budget.step()];
  for (const amount of [400, 100, 250, 150]) {
    budget.reserve(tokens(amount));
    steps.push(budget.step());
  }
  expect(steps).toEqual(['normal', 'normal', 'slower', 'smaller', 'local']);
});

test('06 a request that never fits is refused as such', () => {
  const budget = new Budget({ limits: [parseBudget('$0.01/day')], folder });
  expect(refusal(() => budget.reserve({ tokens: 9, usd: 0.02 }))).toMatchObject({
    code: 'CAP_USAGE',
    message: 'one request may cost $0.0200, more than the budget of $0.01 a day',
  });
});

test('07 what was spent is kept across restarts, also what was under way, and not beyond a day', () => {
  let nowMs = Date.now();
  const options = { limits: [parseBudget('1000-tokens/day')], folder };
  new Budget(options, () => nowMs).reserve(tokens(400)).settle(tokens(200));
  new Budget(options, () => nowMs).reserve(tokens(300));
  expect(new Budget(options, () => nowMs).usedShare()).toBe(0.5);
  nowMs += 86_400_000;
  expect(new Budget(options, () => nowMs).usedShare()).toBe(0);
});

test('08 a line that broke off spoils nothing else, and old files go', () => {
  const options = { limits: [parseBudget('1000-tokens/h')], folder };
  new Budget(options).reserve(tokens(100));
  const [name = ''] = readdirSync(folder);
  appendFileSync(join(folder, name), '{"id":"x","tok');
  writeFileSync(join(folder, 'spending-2020-01-01.jsonl'), '\n');
  const budget = new Budget(options);
  budget.reserve(tokens(100));
  expect(new Budget(options).usedShare()).toBe(0.2);
  expect(readdirSync(folder)).toEqual([name]);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
});

test('09 an account that cannot be kept stops the spending', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const error = refusal(() => new Budget({ limits: [parseBudget('1000-tokens/h')], folder: join(file, 'below') }));
  expect(error).toMatchObject({ code: 'CAP_OUTPUT_FAILED', hint: 'set XDG_STATE_HOME to a folder of yours' });
});

test('10 processes that spend at the same time never pass the cap together', async () => {
  await using library = await buildLibrary();
  const spend = `
    import { Budget } from '$lib/consumer/budget/budget.js';
    const [folder, seed] = process.argv.slice(2);
    const limits = [{ amount: 10_000, unit: 'tokens', windowMs: 3_600_000 }];
    const budget = new Budget({ limits, folder });
    console.log('ready');
    let state = Number(seed);
    const below = (limit) => (state = (state * 48271) % 2147483647) % limit;
    for (let round = 0; round < 150; round += 1) {
      try {
        const most = 20 + below(200);
        const reservation = budget.reserve({ tokens: most, usd: 0 });
        await new Promise((resolve) => setTimeout(resolve, below(4)));
        if (below(10) > 0) reservation.settle({ tokens: below(most), usd: 0 });
      } catch (error) {
        if (error.code !== 'CAP_BUDGET_EXHAUSTED') throw error;
      }
    }
    console.log('done');
  `;
  const processes = await Promise.all([1, 2, 3].map((seed) => library.run(spend, folder, `${seed * 7919}`)));
  try {
    await Promise.all(processes.map((one) => one.waitForOutput(/done/, 60_000)));
  } finally {
    for (const one of processes) await one.close();
  }
  // After each line the sum of what had been granted by then is within the cap. What did not fit was written down
  // and taken back by the same process, as the line with nothing says.
  const lines = readdirSync(folder)
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: string; tokens: number });
  const refused = new Set(lines.filter((line) => line.tokens === 0).map((line) => line.id));
  const current = new Map<string, number>();
  let most = 0;
  for (const { id, tokens: amount } of lines) {
    if (refused.has(id)) continue;
    current.set(id, amount);
    most = Math.max(
      most,
      [...current.values()].reduce((sum, one) => sum + one, 0),
    );
  }
  expect(most).toBeLessThanOrEqual(10_000);
  expect(most).toBeGreaterThan(9000);
  expect(refused.size).toBeGreaterThan(0);
}, 90_000);

test('11 whatever is reserved and settled, the sum of a window stays within the cap', () => {
  const { below } = seededRandom(4);
  let nowMs = Date.now();
  const budget = new Budget({ limits: [parseBudget('5k-tokens/min')], folder }, () => nowMs);
  const spent: { atMs: number; tokens: number }[] = [];
  for (let round = 0; round < 500; round += 1) {
    nowMs += below(2000);
    const most = 1 + below(1500);
    try {
      const reservation = budget.reserve(tokens(most));
      const actual = below(most + 1);
      reservation.settle(tokens(actual));
      spent.push({ atMs: nowMs, tokens: actual });
    } catch (error) {
      expect(error).toMatchObject({ code: 'CAP_BUDGET_EXHAUSTED' });
    }
    const within = spent.filter(({ atMs }) => atMs > nowMs - 60_000);
    expect(within.reduce((sum, one) => sum + one.tokens, 0)).toBeLessThanOrEqual(5000);
  }
});
