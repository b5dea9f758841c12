import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { closeAllProcesses } from '../../test/support/process.js';
import { projectRoot } from '../../test/support/programs.js';
import { evaluate, falseAlarms, type TrackResult } from './evaluate.js';
import { measureLatency } from './latency.js';
import { plots } from './plots.js';
import { Reading } from './reading.js';
import { intoDocument, type Results, report } from './report.js';
import { playSession, SCALES, type Session } from './session.js';

const USAGE = 'npm run bench:seeing -- [--quick] [--minutes N] [--json FILE] [--from FILE] [--docs]';
/** Of scenes, twice: with what is read and compared afterwards a quarter of an hour. */
const MINUTES = 5.5;
/** Captured, watched and decoded at the same time: what two cores have time for. */
const SCALES_AT_ONCE = 4;
const QUICK_MINUTES = 2.5;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    json: { type: 'string' },
    from: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes ?? (values.quick ? QUICK_MINUTES : MINUTES));
if (!(minutes >= 2 && minutes <= 600)) {
  process.stderr.write(`${USAGE}\n2 minutes at least\n`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void closeAllProcesses().finally(() => process.exit(130)));
}

const results: Results = values.from ? JSON.parse(readFileSync(values.from, 'utf8')) : await measure();
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
process.stdout.write(report(results));
if (values.docs) document();

async function measure(): Promise<Results> {
  const ranOn = machine();
  say('change to request');
  const latencyMs = await measureLatency(values.quick ? 10 : 40);
  const sessions: Session[] = [];
  const scales = values.quick ? ['full', 'p4'] : SCALES;
  for (let from = 0; from < scales.length; from += SCALES_AT_ONCE) {
    sessions.push(await playSession(minutes, scales.slice(from, from + SCALES_AT_ONCE), say));
  }
  await using reading = await Reading.open();
  const tracks: TrackResult[] = [];
  for (const session of sessions) tracks.push(...(await evaluate(session, reading, say)));
  const alarms = await falseAlarms(sessions);
  const spans = sessions[0]?.spans ?? [];
  const composition = spans.map(({ scene, fromMs, toMs }) => ({ scene, seconds: (toMs - fromMs) / 1000 }));
  return { machine: ranOn, minutes, latencyMs, falseAlarms: alarms, composition, tracks };
}

/** Figures and plots of the documentation. */
function document(): void {
  const path = join(projectRoot, 'docs', 'seeing.md');
  writeFileSync(path, intoDocument(readFileSync(path, 'utf8'), report(results)));
  for (const [name, svg] of Object.entries(plots(results))) {
    writeFileSync(join(projectRoot, 'docs', 'pictures', `${name}.svg`), svg);
  }
}

function machine(): string {
  return `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}, Linux ${release()}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)} before`;
}

function say(line: string): void {
  process.stderr.write(`${new Date().toTimeString().slice(0, 8)}  ${line}\n`);
}
