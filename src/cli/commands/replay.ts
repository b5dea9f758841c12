import { type Command, Option } from 'commander';
import { createStreamLogger } from '../../core/index.js';
import { PROVIDERS, type Replayed, type ReplayedAnswer, replay } from '../../session/index.js';
import { type ModelFlags, modelOf } from '../model-options.js';
import { integer, oneOf } from '../parse-options.js';
import { textTable } from '../text-table.js';

interface Flags extends Pick<ModelFlags, 'model' | 'baseUrl' | 'api' | 'detail' | 'json' | 'verbose'> {
  readonly provider: string;
  readonly scalePreset?: string;
  readonly last?: number;
}

/** Adds `cap replay DIR`: what a ledger has, asked again. */
export function registerReplay(program: Command, stop: AbortSignal): void {
  const names = PROVIDERS.map(({ name }) => name);
  const details = ['low', 'high', 'auto', 'original'] as const;
  program
    .command('replay')
    .description('ask a model again what cap watch --ledger kept, and compare tokens, cost and answers')
    .argument('<folder>', 'of the ledger')
    .option('--provider <name>', `who is asked now: ${names.join(', ')}`, oneOf('--provider', names), 'local')
    .option('--model <name>', "the provider's model")
    .option('--base-url <url>', 'address of a server with the same interface')
    .addOption(
      new Option('--api <name>', 'which interface of OpenAI (default: responses)').choices(['responses', 'chat']),
    )
    .addOption(new Option('--detail <level>', 'how closely to look, where the provider has a choice').choices(details))
    .option('--scale-preset <name|file>', 'scale the pictures as they were sent: see `cap presets`')
    .option('--last <n>', 'only the newest so many', integer('--last', 1, 1_000_000))
    .option('--json', 'print one JSON object per request')
    .option('-v, --verbose', 'say more on standard error')
    .action((folder: string, flags: Flags) => run(folder, flags, stop));
}

async function run(folder: string, flags: Flags, stop: AbortSignal): Promise<void> {
  const logger = createStreamLogger({ level: flags.verbose ? 'debug' : 'info' });
  const { scalePreset: preset, last, json } = flags;
  const all: Replayed[] = [];
  for await (const replayed of replay(folder, {
    model: modelOf(flags.provider, flags),
    preset,
    last,
    signal: stop,
    logger,
  })) {
    if (json) process.stdout.write(`${JSON.stringify(replayed)}\n`);
    else all.push(replayed);
    logger.debug(`asked again what was asked at ${replayed.at}`);
  }
  if (!json) process.stdout.write(report(all));
}

const COLUMNS = [
  { heading: 'ASKED' },
  { heading: 'WHOM' },
  { heading: 'IMAGES' },
  { heading: 'IMAGE TOKENS', numeric: true },
  { heading: 'IN', numeric: true },
  { heading: 'OUT', numeric: true },
  { heading: 'COST', numeric: true },
  { heading: 'MS', numeric: true },
  { heading: 'ALIKE', numeric: true },
  { heading: 'ANSWER' },
];
const MOST_CHARACTERS = 60;

function report(all: readonly Replayed[]): string {
  if (all.length === 0) return 'the ledger has no requests\n';
  const rows = all.flatMap(({ at, recorded, replayed, alike }) => [
    cells(at.slice(0, 19), recorded, ''),
    cells('', replayed, alike === undefined ? '' : percent(alike)),
  ]);
  const alike = all.flatMap((one) => one.alike ?? []);
  const mean = alike.length === 0 ? '' : percent(alike.reduce((sum, share) => sum + share, 0) / alike.length);
  const totals = [
    total(
      all.map(({ recorded }) => recorded),
      'then',
      '',
    ),
    total(
      all.map(({ replayed }) => replayed),
      'now',
      mean,
    ),
  ];
  return textTable(COLUMNS, [...rows, ...totals]);
}

function cells(at: string, answer: ReplayedAnswer, alike: string): string[] {
  const { model, images, imageTokens, inputTokens, outputTokens, costUsd, latencyMs, text, error } = answer;
  const said = text ?? `failed: ${error ?? 'no answer'}`;
  return [
    at,
    model,
    images.join(' '),
    String(imageTokens),
    number(inputTokens),
    number(outputTokens),
    dollars(costUsd),
    String(latencyMs),
    alike,
    shorten(said),
  ];
}

function total(answers: readonly ReplayedAnswer[], name: string, alike: string): string[] {
  const images = answers.reduce((count, answer) => count + answer.images.length, 0);
  const failed = answers.filter(({ text }) => text === undefined).length;
  return [
    'all',
    name,
    `${images}`,
    number(sum(answers, 'imageTokens')),
    number(sum(answers, 'inputTokens')),
    number(sum(answers, 'outputTokens')),
    dollars(sum(answers, 'costUsd')),
    number(sum(answers, 'latencyMs')),
    alike,
    failed === 0 ? '' : `${failed} failed`,
  ];
}

type Counted = 'imageTokens' | 'inputTokens' | 'outputTokens' | 'costUsd' | 'latencyMs';

/** Undefined where none is known. */
function sum(answers: readonly ReplayedAnswer[], key: Counted): number | undefined {
  const known = answers.flatMap((answer) => answer[key] ?? []);
  return known.length === 0 ? undefined : known.reduce((all, value) => all + value, 0);
}

const number = (value: number | undefined): string => (value === undefined ? '' : String(value));
const dollars = (value: number | undefined): string => (value === undefined ? '' : `$${value.toFixed(5)}`);
const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Answers are of a model that may have read anything: no control character reaches the terminal. */
function shorten(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, ' ').trim();
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
}
