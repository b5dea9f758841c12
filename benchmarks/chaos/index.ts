import { parseArgs } from 'node:util';
import { textTable } from '../../src/cli/text-table.js';
import { chaos } from '../../test/support/chaos.js';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0 && minutes <= 1440) || !Number.isInteger(seed)) {
  process.stderr.write('npm run chaos -- [--minutes N] [--seed N]\n');
  process.exit(2);
}

const BUDGET = 150_000;
const COLUMNS = ['seen', 'answered', 'failed', 'stale', 'overBudget', 'gated', 'superseded', 'aborted'] as const;

const before = process.memoryUsage().rss;
const { streams, requests, mostBilled, problems } = await chaos({ seconds: 60 * minutes, seed, budget: BUDGET });
const rows = streams.map(({ title, counts }) => [title, ...COLUMNS.map((name) => `${counts[name]}`)]);
const columns = [{ heading: 'STREAM' }, ...COLUMNS.map((name) => ({ heading: name.toUpperCase(), numeric: true }))];
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
process.stdout.write(`429, 500, cut connections, broken and slow answers for ${minutes} minutes\n\n`);
process.stdout.write(textTable(columns, rows));
process.stdout.write(
  `\n${requests} requests taken in; at most ${mostBilled} tokens billable in a minute of ${BUDGET}; `,
);
process.stdout.write(`${mb(before)} of memory before, ${mb(process.memoryUsage().rss)} after\n`);
for (const problem of problems) process.stdout.write(`WRONG: ${problem}\n`);
process.stdout.write(problems.length === 0 ? 'nothing was wrong\n' : '');
const isIdle = streams.some(({ counts }) => counts.answered === 0);
if (isIdle) process.stdout.write('WRONG: a stream had no answer\n');
process.exitCode = !isIdle && problems.length === 0 ? 0 : 1;
