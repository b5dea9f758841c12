import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { builtInPresets } from 'cap-gateway';
import { type Column, textTable } from '../src/cli/text-table.js';
import { closeAllProcesses } from '../test/support/process.js';
import { median } from './median.js';
import { type Crowd, measureCrowds } from './readers/readers.js';
import { type Joins, measureJoins, measureStreaming, type Pair, type Run, STREAMING_CASES } from './streaming.js';
import { measureWords, type Words } from './words.js';

const SECTIONS = ['streaming', 'join', 'readers', 'words'] as const;
type Section = (typeof SECTIONS)[number];

const USAGE = `npm run bench -- [--quick] [--only ${SECTIONS.join(',')}] [--json FILE]`;

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, json: { type: 'string' } },
});
const wanted = values.only?.split(',') ?? SECTIONS;
if (!wanted.every((name) => SECTIONS.includes(name as Section))) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}
const rounds = values.quick ? 1 : 5;
const seconds = values.quick ? 3 : 6;
const results: Record<string, unknown> = { machine: machine(), rounds, seconds };

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void closeAllProcesses().finally(() => process.exit(130)));
}

print(
  `${machine()}\ncap against a plain ximagesrc + gst-rtsp-server, in turn; medians of ${rounds} pairs of ${seconds} s\n`,
);
if (wanted.includes('streaming')) await streaming();
if (wanted.includes('join')) await joining();
if (wanted.includes('readers')) await crowding();
if (wanted.includes('words')) await reading();
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);

async function streaming(): Promise<void> {
  const columns: Column[] = [
    { heading: 'SCREEN' },
    ...['AGE P50', 'PEER', 'RATIO', 'AGE P95', 'PEER', 'RATIO', 'CORES', 'PEER', 'RATIO', 'RSS MB', 'PEER'].map(
      (heading) => ({
        heading,
        numeric: true,
      }),
    ),
  ];
  const rows: string[][] = [];
  const raw: Record<string, readonly Pair[]> = {};
  for (const item of STREAMING_CASES) {
    const pairs = await measureStreaming(item, rounds, seconds);
    raw[item.name] = pairs;
    rows.push([
      item.name,
      ...compared(pairs, 'p50', 0),
      ...compared(pairs, 'p95', 0),
      ...compared(pairs, 'cpuCores', 3),
      ...compared(pairs, 'rssMb', 0).slice(0, 2),
    ]);
  }
  results.streaming = raw;
  print(
    `Age of frames from drawing to decoded picture, ms; processor of the whole server process\n\n${textTable(columns, rows)}`,
  );
}

/** Medians of both, and the median of the ratios pair by pair. */
function compared(pairs: readonly Pair[], key: keyof Run, digits: number): string[] {
  const of = (side: keyof Pair): number[] => pairs.map((pair) => pair[side][key]);
  const ratio = median(pairs.map(({ cap, peer }) => cap[key] / peer[key]));
  return [median(of('cap')).toFixed(digits), median(of('peer')).toFixed(digits), `${ratio.toFixed(2)}x`];
}

async function joining(): Promise<void> {
  const joins: Joins = await measureJoins(values.quick ? 3 : 10);
  results.join = joins;
  const row = (name: string, times: readonly number[]): string[] => [
    name,
    median(times).toFixed(0),
    Math.max(...times).toFixed(0),
  ];
  const columns = [{ heading: 'SERVER' }, { heading: 'MEDIAN', numeric: true }, { heading: 'MAX', numeric: true }];
  const rows = [row('cap, GOP 10 s', joins.cap), row('peer, GOP 1 s', joins.peer)];
  print(`First picture for a reader who joins, ms\n\n${textTable(columns, rows)}`);
}

async function crowding(): Promise<void> {
  const { cap, peer } = await measureCrowds(100, values.quick ? 5 : 15);
  results.readers = { cap, peer };
  const headings = ['CORES', 'A READER', 'PICTURES', 'LOST'];
  const columns = [{ heading: 'SERVER' }, ...headings.map((heading) => ({ heading, numeric: true }))];
  const row = (name: string, { readers, cpuCores, pictures, lost }: Crowd): string[] => [
    name,
    cpuCores.toFixed(3),
    `${((cpuCores / readers) * 100).toFixed(2)} %`,
    `${pictures * readers}`,
    `${lost}`,
  ];
  const rows = Object.entries({ cap, peer }).flatMap(([name, { one, many, beside }]) => [
    row(`${name}, 1 reader`, one),
    row(`${name}, 100 readers`, many),
    row(`${name}, 100 readers beside a stopped one`, beside),
  ]);
  print(`Readers of a p4 stream over TCP; processor of the server\n\n${textTable(columns, rows)}`);
}

async function reading(): Promise<void> {
  const words: readonly Words[] = await measureWords(builtInPresets().map((preset) => preset.name));
  results.words = words;
  const columns = [
    { heading: 'PRESET' },
    { heading: 'SIZE', numeric: true },
    { heading: 'WORDS FOUND', numeric: true },
  ];
  const rows = words.map(({ preset, size, found }) => [preset, size, `${(found * 100).toFixed(1)} %`]);
  print(
    `Words of a 1280x720 page of 18 px text that the local reader finds in the stream\n\n${textTable(columns, rows)}`,
  );
}

function machine(): string {
  return `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}, Linux ${release()}, Node ${process.version}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
