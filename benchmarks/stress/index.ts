import { parseArgs } from 'node:util';
import { closeAllProcesses } from '../../test/support/process.js';
import { fuzz } from './fuzz.js';
import { killCaptures } from './kills.js';
import { shortSessions } from './sessions.js';
import type { Holdings } from './stressed-cap.js';

const USAGE = `npm run stress -- fuzz [--count 1000000] [--seed N] [--sanitize]
npm run stress -- sessions [--count 40000]
npm run stress -- kills [--count 20]`;

const { values, positionals } = parseArgs({
  options: { count: { type: 'string' }, seed: { type: 'string', default: '1' }, sanitize: { type: 'boolean' } },
  allowPositionals: true,
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void closeAllProcesses().finally(() => process.exit(130)));
}

const said = ({ memoryMb, descriptors, threads }: Holdings): string =>
  `${memoryMb.toFixed(0)} MB, ${descriptors} descriptors, ${threads} threads`;
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const countOr = (usual: number): number => Number(values.count ?? usual);

const RUNS: Readonly<Record<string, () => Promise<void>>> = {
  fuzz: async () => {
    const { requests, connections, answers, before, after } = await fuzz({
      requests: countOr(1_000_000),
      seed: Number(values.seed),
      sanitize: values.sanitize ?? false,
      onCheck: (sent, holdings) => print(`${sent} requests: ${said(holdings)}`),
    });
    print(`${requests} requests on ${connections} connections; answers: ${JSON.stringify(answers)}`);
    print(`no crash, no hang; held ${said(before)} at first, ${said(after)} in the end`);
  },
  sessions: async () => {
    const { sessions, killed, before, after } = await shortSessions({
      sessions: countOr(40_000),
      onRound: (count, holdings) => print(`${count} sessions: ${said(holdings)}`),
    });
    print(`${sessions} sessions, ${killed} of them ended by killing the client; no reader is left`);
    print(`held ${said(before)} after the first quarter, ${said(after)} in the end`);
  },
  kills: async () => {
    const { backMs, medianMs, lost, outOfOrder, pictures } = await killCaptures(countOr(20), 10);
    print(`back after ${backMs.map((ms) => ms.toFixed(0)).join(', ')} ms: median ${medianMs.toFixed(0)} ms`);
    print(`${lost} of 10 readers lost; ${outOfOrder} of ${pictures} pictures out of order`);
  },
};

const run = RUNS[positionals[0] ?? ''];
if (!run || !(countOr(1) > 0) || !Number.isInteger(Number(values.seed))) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}
await run();
// The threads of the viewer's WebRTC library would keep this process alive.
process.exit();
