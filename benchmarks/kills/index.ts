import { parseArgs } from 'node:util';
import { textTable } from '../../src/cli/text-table.js';
import { startDisplay } from '../../test/support/display.js';
import { seededRandom } from '../../test/support/prng.js';
import { closeAllProcesses } from '../../test/support/process.js';
import { KILL_CASES, type Kill, killRecording } from '../../test/support/recording-kills.js';
import { median } from '../median.js';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
});
const count = Number(values.count);
const seed = Number(values.seed);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  process.stderr.write('npm run kills -- [--count N] [--seed N]\n');
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void closeAllProcesses().finally(() => process.exit(130)));
}

/** What a crash may cost. */
const MOST_LOST_MS = 1000;
const LONGEST_MS = 6000;

const random = seededRandom(seed);
await using display = await startDisplay({ widthPx: 1280, heightPx: 720 });
const kills = new Map<string, Kill[]>(KILL_CASES.map((name) => [name, []]));
for (let index = 0; index < count; index++) {
  const what = KILL_CASES[index % KILL_CASES.length] ?? KILL_CASES[0];
  const kill = await killRecording(what, display, random.below(LONGEST_MS));
  kills.get(what)?.push(kill);
  process.stderr.write(`${index + 1}: ${what}, ${kill.lostMs.toFixed(0)} ms lost, ${kill.files} files\n`);
}
const rows = [...kills].map(([name, of]) => {
  const lost = of.map(({ lostMs }) => lostMs);
  const sum = (read: (kill: Kill) => number): string => `${of.reduce((total, kill) => total + read(kill), 0)}`;
  const files = [sum(({ files: all }) => all), sum(({ missing }) => missing)];
  return [name, `${of.length}`, ...files, median(lost).toFixed(0), Math.max(...lost).toFixed(0)];
});
const headings = ['KILLS', 'FILES THAT PLAY', 'PICTURES MISSING', 'LOST MS, MEDIAN', 'MOST'];
const columns = [{ heading: 'RECORDED' }, ...headings.map((heading) => ({ heading, numeric: true }))];
process.stdout.write(`SIGKILL at random moments while 2 s segments are recorded\n\n${textTable(columns, rows)}`);
const all = [...kills.values()].flat();
process.exitCode = all.every(({ lostMs, missing }) => lostMs <= MOST_LOST_MS && missing === 0) ? 0 : 1;
