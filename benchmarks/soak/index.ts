import { parseArgs } from 'node:util';
import { textTable } from '../../src/cli/text-table.js';
import { closeAllProcesses } from '../../test/support/process.js';
import { Activity } from './activity.js';
import { soak } from './soak.js';
import type { Leak } from './subject.js';

const LEAKS = ['memory', 'descriptors', 'threads'];
const USAGE = `npm run soak -- [--minutes N] [--leak ${LEAKS.join(',')}]`;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, leak: { type: 'string' } } });
const minutes = Number(values.minutes);
const leaks = values.leak?.split(',') ?? [];
if (!(minutes > 0 && minutes <= 1440) || !leaks.every((leak) => LEAKS.includes(leak))) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void closeAllProcesses().finally(() => process.exit(130)));
}

process.stdout.write(`An hour of use: ${Activity.hour}\n\n`);
const { rounds, hours, frames, rows, flat } = await soak({
  seconds: minutes * 60,
  leaks: leaks as Leak[],
  onRound: (round, { memoryMb, descriptors, threads }) => {
    if (round % 20 !== 0) return;
    process.stderr.write(`round ${round}: ${memoryMb.toFixed(0)} MB, ${descriptors} descriptors, ${threads} threads\n`);
  },
});
const headings = ['FIRST', 'LAST', 'MOST', 'PER HOUR OF USE', 'BOUND'];
const columns = [{ heading: 'HELD' }, ...headings.map((heading) => ({ heading, numeric: true })), { heading: '' }];
const cells = rows.map(({ name, unit, first, last, most, perHour, bound, flat: isFlat }) => {
  const digits = unit === 'MB' ? 1 : 0;
  return [
    unit ? `${name}, ${unit}` : name,
    ...[first, last, most].map((value) => value.toFixed(digits)),
    perHour.toFixed(2),
    bound.toFixed(1),
    isFlat ? 'flat' : 'GROWS',
  ];
});
process.stdout.write(
  `${rounds} rounds, ${frames} frames in ${minutes} minutes: ${hours.toFixed(1)} hours of use\n\n${textTable(columns, cells)}`,
);
process.exitCode = flat ? 0 : 1;
