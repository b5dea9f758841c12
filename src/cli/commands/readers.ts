import type { Command } from 'commander';
import { CapError } from '../../core/index.js';
import { askGateway, type ReaderRow, type RunningGateway } from '../../server/index.js';
import { gatewaysOf } from '../gateways-of.js';
import { integer } from '../parse-options.js';
import { textTable } from '../text-table.js';

interface Flags {
  readonly kick?: number;
  readonly gateway?: number;
  readonly json?: true;
}

interface Row extends ReaderRow {
  /** The process that serves it. */
  readonly gateway: number;
}

/** Adds `cap readers`: who reads what this user's running gateways serve. */
export function registerReaders(program: Command): void {
  program
    .command('readers')
    .description('list who reads the streams that run here, or end one of them')
    .option('--kick <id>', 'end the connection of this reader', integer('--kick', 1, 999_999_999))
    .option('--gateway <pid>', 'only of this process, where several run', integer('--gateway', 1, 999_999_999))
    .option('--json', 'print JSON')
    .action(async ({ kick, gateway, json }: Flags) => {
      const gateways = await gatewaysOf(gateway);
      const rows = (await Promise.all(gateways.map(readersOf))).flat();
      if (kick !== undefined) return end(kick, rows, gateways);
      process.stdout.write(json ? `${JSON.stringify(rows)}\n` : table(rows));
    });
}

async function readersOf(gateway: RunningGateway): Promise<Row[]> {
  const readers = (await askGateway(gateway, 'GET', '/readers')) as readonly ReaderRow[];
  return readers.map((reader) => ({ gateway: gateway.pid, ...reader }));
}

async function end(id: number, rows: readonly Row[], gateways: readonly RunningGateway[]): Promise<void> {
  const meant = rows.filter((row) => row.id === id);
  if (meant.length > 1) {
    const pids = meant.map((row) => row.gateway).join(', ');
    throw new CapError('CAP_USAGE', `several streams have a reader ${id}`, { hint: `choose with --gateway: ${pids}` });
  }
  const gateway = gateways.find(({ pid }) => pid === meant[0]?.gateway);
  const kicked = gateway && (await askGateway(gateway, 'DELETE', `/readers/${id}`));
  if (!kicked) throw new CapError('CAP_USAGE', `there is no reader ${id}`, { hint: 'cap readers lists them' });
}

const COLUMNS = [
  { heading: 'GATEWAY', numeric: true },
  { heading: 'ID', numeric: true },
  { heading: 'PEER' },
  { heading: 'USER' },
  { heading: 'OVER' },
  { heading: 'PATH' },
  { heading: 'SINCE', numeric: true },
  { heading: 'SENT', numeric: true },
  { heading: 'CUT OFF', numeric: true },
];

function table(rows: readonly Row[]): string {
  if (rows.length === 0) return 'Nobody reads\n';
  return textTable(
    COLUMNS,
    rows.map(({ gateway, id, peer, user = '', protocol, path, connectedMs, sentBytes, cutOffs, behind }) => [
      String(gateway),
      String(id),
      peer,
      user,
      protocol,
      path,
      since(connectedMs),
      `${(sentBytes / 1e6).toFixed(1)} MB`,
      behind ? `${cutOffs}, is now` : String(cutOffs),
    ]),
  );
}

/** 42s, 5m07s, 3h05m. */
function since(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
}
