import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Budget, openAdaptor, parseBudget, Watch } from '../../../src/consumer/index.js';
import type { Behaviour } from '../../support/fake-provider.js';
import { FAKE_KEY, FakeProvider } from '../../support/fake-provider.js';
import { ManualSource } from '../../support/manual-source.js';

const SCHEMA = { type: 'object', properties: { app: { type: 'string' } }, required: ['app'] };
const WRONG: Behaviour = { kind: 'answer', deltas: ['{"app"', ':7}'] };
const refusal = (status: number): Behaviour => ({ kind: 'status', status, headers: { 'x-should-retry': 'false' } });

/** What a budget says was spent on one request that fails, with a server that behaves so. */
async function spentOn(...behaviours: readonly Behaviour[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'cap-billed-'));
  const server = await FakeProvider.start();
  try {
    server.script(...behaviours);
    const budget = new Budget({ limits: [parseBudget('100k-tokens/day')], folder });
    const adaptor = await openAdaptor('anthropic', { apiKey: FAKE_KEY, baseUrl: server.origin });
    const source = new ManualSource();
    await using watch = new Watch(source, adaptor, { budget, schema: SCHEMA, maxOutputTokens: 1000 });
    const codes: string[] = [];
    watch.on('failed', ({ code }) => codes.push(code));
    source.push();
    await expect.poll(() => codes.length).toBe(1);
    await adaptor.close();
    return Math.round(budget.usedShare() * 100_000);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

test('a request that is refused costs nothing', async () => {
  expect(await spentOn(refusal(400))).toBe(0);
});

test('an answer that did not do was paid for, also when asking once more is refused', async () => {
  expect(await spentOn(WRONG, refusal(429))).toBe(100 + 10 + 2);
});

test('what broke off may have been paid for, up to all that was reserved', async () => {
  expect(await spentOn({ kind: 'cut' })).toBeGreaterThan(2000);
  expect(await spentOn(WRONG, { kind: 'cut' })).toBeGreaterThan(2000);
});
