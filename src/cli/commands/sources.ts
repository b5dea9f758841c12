import type { Command } from 'commander';
import { formatRegion, formatSize } from '../../core/index.js';
import { type DisplayServer, listSources, type SourceList, type WindowRow } from '../../session/index.js';
import { DISPLAY_OPTION, displayServerOption } from '../capture-options.js';
import { errorText } from '../error-text.js';
import { textTable } from '../text-table.js';

interface SourcesOptions {
  readonly displayServer?: DisplayServer;
  readonly display?: string;
  readonly json?: true;
}

/** Adds `cap sources`: what there is to capture, each with the argument that does it. */
export function registerSources(program: Command): void {
  program
    .command('sources')
    .description('list monitors, windows, cameras, sound devices and what plays, with the argument that captures each')
    .addOption(displayServerOption())
    .option(...DISPLAY_OPTION)
    .option('--json', 'print JSON')
    .action(async ({ json, ...choice }: SourcesOptions) => {
      const { displayError, ...list } = await listSources(choice);
      // A display that was named has to be there; without one the devices still can be listed.
      if (displayError && (choice.display ?? choice.displayServer) !== undefined) throw displayError;
      process.stdout.write(json ? `${JSON.stringify(list)}\n` : table(list));
      if (displayError) process.stderr.write(`no monitors or windows: ${errorText(displayError)}\n`);
    });
}

const AUDIO_KINDS = { output: 'sound output', microphone: 'microphone', application: 'application' } as const;

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly where: string;
  readonly argument?: string;
}

function table({ monitors, windows, cameras, audio }: SourceList): string {
  const rows: Row[] = [
    ...monitors.map(({ name, primary, argument, ...place }) => {
      return { kind: 'monitor', name: primary ? `${name}, primary` : name, where: formatRegion(place), argument };
    }),
    ...windows.map((window) => {
      const { title, argument } = window;
      const name = window.class === '' ? title : `${title} (${window.class})`;
      return { kind: 'window', name, where: whereIs(window), argument };
    }),
    ...cameras.map(({ path, ...camera }) => ({ kind: 'camera', where: path, ...camera })),
    ...audio.map(({ kind, name, path, argument }) => ({ kind: AUDIO_KINDS[kind], name, where: path, argument })),
  ];
  if (rows.length === 0) return 'There is nothing to capture but --source test\n';
  const columns = [{ heading: 'KIND' }, { heading: 'NAME' }, { heading: 'WHERE' }, { heading: 'ARGUMENT' }];
  return textTable(columns, rows.map(toCells));
}

/** Its place, or as much of it as is known. */
function whereIs({ x, y, width, height }: WindowRow): string {
  if (width === undefined || height === undefined) return '';
  return x === undefined || y === undefined ? formatSize({ width, height }) : formatRegion({ x, y, width, height });
}

/** Titles come from other programs: no control character of theirs reaches the terminal. */
const toCells = ({ kind, name, where, argument = '' }: Row): string[] =>
  [kind, shorten(name), where, argument].map((cell) => cell.replace(/\p{Cc}/gu, ' '));

const MAX_NAME = 60;
const shorten = (name: string): string => (name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name);
