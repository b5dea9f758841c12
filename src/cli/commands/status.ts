import type { Command } from 'commander';
import { askGateway, type GatewayReport, type RunningGateway } from '../../server/index.js';
import { gatewaysOf } from '../gateways-of.js';
import { integer } from '../parse-options.js';
import { textTable } from '../text-table.js';

interface Flags {
  readonly gateway?: number;
  readonly json?: true;
}

const COLUMNS = [
  { heading: 'GATEWAY', numeric: true },
  { heading: 'PATH' },
  { heading: 'STATE' },
  { heading: 'WHAT' },
  { heading: 'DIED', numeric: true },
];

/** Adds `cap status` and `cap stop`: of the gateways that this user runs. */
export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('say what the streams that run here serve')
    .option('--gateway <pid>', 'only of this process, where several run', integer('--gateway', 1, 999_999_999))
    .option('--json', 'print JSON')
    .action(async ({ gateway, json }: Flags) => {
      const reports = await Promise.all((await gatewaysOf(gateway)).map(reportOf));
      process.stdout.write(json ? `${JSON.stringify(reports)}\n` : reports.map(text).join('\n'));
    });
  program
    .command('stop')
    .description('end the streams that run here, in good order')
    .option('--gateway <pid>', 'only this process, where several run', integer('--gateway', 1, 999_999_999))
    .action(async ({ gateway }: Flags) => {
      for (const one of await gatewaysOf(gateway)) await askGateway(one, 'POST', '/stop');
    });
}

const reportOf = async (gateway: RunningGateway): Promise<GatewayReport> =>
  (await askGateway(gateway, 'GET', '/status')) as GatewayReport;

function text({ pid, urls, mounts }: GatewayReport): string {
  const addresses = urls.map((url) => `${url}\n`).join('');
  if (!mounts) return addresses;
  const rows = mounts.map(({ path, state, label, picture, error, deaths }) => [
    String(pid),
    path,
    state,
    error ?? `${label}, ${picture}`,
    String(deaths),
  ]);
  return `${addresses}${textTable(COLUMNS, rows)}`;
}
