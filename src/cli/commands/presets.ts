import { type Command, Option } from 'commander';
import { CapError, expectInteger, formatSize, parseSize, type Size, unexpected } from '../../core/index.js';
import { type GundamTable, gundamTable } from '../../session/gundam-table.js';
import { assumptionOf, DEFAULT_TOKEN_MODEL, type PresetRow, presetTable, priceOf } from '../../session/preset-table.js';
import { duration } from '../parse-options.js';
import { textTable } from '../text-table.js';

interface PresetsOptions {
  readonly source: Size;
  readonly model?: string;
  readonly maxLongSide?: number;
  readonly every?: number;
  readonly price?: number;
  readonly gundam?: true;
  readonly maxCrops?: 6 | 9;
  readonly json?: true;
}

/** Adds `cap presets`: what each preset, or the Gundam mode, makes of a source, with estimated tokens. */
export function registerPresets(program: Command): void {
  program
    .command('presets')
    .description('show what each scale preset makes of a source, and its estimated tokens')
    .addOption(
      new Option('--source <WxH>', 'size of the source')
        .argParser(readSource)
        .default({ width: 1920, height: 1080 }, '1920x1080'),
    )
    .option('--model <name>', `whose tokens are estimated (default: ${DEFAULT_TOKEN_MODEL})`)
    .option('--max-long-side <px>', 'bound the longer side of the results', readMaxLongSide)
    .option('--every <time>', 'add what an hour of pictures costs, at one every 30s, 2m', duration('--every'))
    .option('--price <usd>', 'with --every, dollars for a million input tokens', readPrice)
    .option('--gundam', "show DeepSeek-OCR's Gundam grid instead")
    .option('--max-crops <n>', 'with --gundam, most local tiles: 9 or 6 (default: 9)', readMaxCrops)
    .option('--json', 'print JSON')
    .action((options: PresetsOptions) => {
      refuseIdleOptions(options);
      process.stdout.write(options.gundam ? gundamText(options) : presetsText(options));
    });
}

function presetsText({ source, model = DEFAULT_TOKEN_MODEL, maxLongSide, every, price, json }: PresetsOptions): string {
  const rows = presetTable(source, { model, maxLongSidePx: maxLongSide, everyMs: every, usdPerMillion: price });
  const assumption = assumptionOf(model);
  if (assumption) process.stderr.write(`warn: the model "${model}" is not in the tables: ${assumption}\n`);
  if (json) return toJson(rows);
  const title = `${formatSize(source)} at each preset; tokens of one picture as ${model} counts them`;
  const columns = [
    { heading: 'PRESET' },
    { heading: 'PIXELS', numeric: true },
    { heading: 'SIZE', numeric: true },
    { heading: 'SENT', numeric: true },
    { heading: 'TOKENS', numeric: true },
    ...(every === undefined ? [] : [{ heading: '$/HOUR', numeric: true }]),
  ];
  const basis = every === undefined ? '' : `${priceBasis(model, every, price)}\n`;
  return `${title}\n${basis}\n${textTable(columns, rows.map(presetCells))}`;
}

/** What the price of an hour rests on: prices change, and an answer costs, too. */
function priceBasis(model: string, everyMs: number, price: number | undefined): string {
  const known = price === undefined ? priceOf(model) : undefined;
  const rate = `$${price ?? known?.inputUsd} for a million tokens`;
  const origin = known ? ` (${known.source}, ${known.date})` : '';
  return `$/HOUR: pictures alone, one every ${everyMs / 1000} s, at ${rate}${origin}`;
}

function presetCells(row: PresetRow): string[] {
  const cells = [row.name, `1/${row.factor}`, formatSize(row), formatSize(row.sent), String(row.tokens)];
  return row.usdPerHour === undefined ? cells : [...cells, row.usdPerHour.toPrecision(3)];
}

function gundamText({ source, maxCrops = 9, json }: PresetsOptions): string {
  const table = gundamTable(source, maxCrops);
  if (json) return toJson(table);
  const title = `${formatSize(source)} in Gundam mode with at most ${maxCrops} tiles; tokens as DeepSeek-OCR counts them`;
  const columns = [
    { heading: 'GRID' },
    { heading: 'TILES' },
    { heading: 'GLOBAL' },
    { heading: 'TOKENS', numeric: true },
  ];
  return `${title}\n\n${textTable(columns, [gundamCells(table)])}`;
}

function gundamCells({ grid, tiles, global, tokens }: GundamTable): string[] {
  const local = tiles === 0 ? ['none', 'none'] : [`${grid.columns}x${grid.rows}`, `${tiles} of 640x640`];
  return [...local, formatSize(global), String(tokens)];
}

const toJson = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** No option is accepted that would do nothing. */
function refuseIdleOptions({ gundam, model, maxLongSide, maxCrops, every, price }: PresetsOptions): void {
  if (price !== undefined && every === undefined) {
    throw new CapError('CAP_USAGE', '--price is for --every', { hint: 'add --every 5s' });
  }
  if (maxCrops !== undefined && !gundam) {
    throw new CapError('CAP_USAGE', '--max-crops is for --gundam', { hint: 'add --gundam' });
  }
  const idle = [
    model !== undefined && '--model',
    maxLongSide !== undefined && '--max-long-side',
    every !== undefined && '--every',
  ].find(Boolean);
  if (gundam && idle) {
    throw new CapError('CAP_USAGE', `${idle} cannot be used with --gundam`, {
      hint: "its sizes and its tokens are DeepSeek-OCR's",
    });
  }
}

function readSource(text: string): Size {
  const size = parseSize(text);
  if (!size) throw unexpected('--source', 'a size such as 1920x1080', text);
  return size;
}

function readMaxLongSide(text: string): number {
  if (!/^\d+$/.test(text)) throw unexpected('--max-long-side', 'a whole number from 16 to 16384', text);
  return expectInteger('--max-long-side', Number(text), 16, 16384);
}

function readPrice(text: string): number {
  const price = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(price >= 0 && price <= 10_000)) throw unexpected('--price', 'dollars for a million tokens, such as 0.20', text);
  return price;
}

function readMaxCrops(text: string): 6 | 9 {
  if (text === '9') return 9;
  if (text === '6') return 6;
  throw unexpected('--max-crops', '9 or 6', text);
}
