import { type Command, Option } from 'commander';
import { CapError, createStreamLogger, type Logger, toCapError } from '../../core/index.js';
import { startMetricsServer, WordsReport, watchMetrics } from '../../server/index.js';
import { type BudgetStep, WatchSession } from '../../session/index.js';
import { AnswerPrinter, answerJson } from '../answer-printer.js';
import { addDeltaOptions, type DeltaFlags, toDeltas } from '../delta-options.js';
import { errorText } from '../error-text.js';
import { addGateOptions, type GateFlags, toGate } from '../gate-options.js';
import { addModelOptions, type ModelFlags, toLook, toModels, toSampler } from '../model-options.js';
import { byteSize, duration, httpUrl, integer } from '../parse-options.js';
import { addPictureOptions, type PictureFlags, toPicture } from '../picture-options.js';
import { addQueueOption, type QueueFlags, queueUrl } from '../queue-options.js';
import { RepeatedLines } from '../repeated-lines.js';
import { addSpendingOptions, type SpendingFlags, toBudget, toSpending } from '../spending-options.js';

interface Flags extends ModelFlags, PictureFlags, GateFlags, DeltaFlags, SpendingFlags, QueueFlags {
  readonly every: number;
  readonly duration?: number;
  readonly metricsPort?: number;
  readonly report?: URL;
  readonly ledger?: string;
  readonly ledgerMaxSize?: number;
}

/** Adds `cap watch URL`: a model looks whenever something has changed, until Ctrl-C. */
export function registerWatch(program: Command, stop: AbortSignal): void {
  const command = program.command('watch').description('have a model look at a stream whenever it changes');
  command.argument('<url>', 'rtsp:// address of the stream');
  const looking = addSpendingOptions(addDeltaOptions(addGateOptions(addPictureOptions(addModelOptions(command)))));
  addQueueOption(looking, 'have cap worker ask the model')
    .addOption(
      new Option('--every <time>', 'least time between two looks').argParser(duration('--every')).default(5000, '5s'),
    )
    .option('--memory <n>', 'tell the model its last n answers, too', integer('--memory', 1, 100))
    .option('-d, --duration <time>', 'stop after 30s, 2m, 1h', duration('--duration', 100))
    .option('--ledger <folder>', 'keep what is sent and answered, for cap replay')
    .option('--ledger-max-size <size>', 'most bytes of it (default: 1G)', byteSize('--ledger-max-size', 1e6))
    .option('--report <url>', 'show the answers on the viewer page at http://HOST:PORT/', httpUrl('--report'))
    .option('--metrics-port <port>', 'serve Prometheus metrics, 0 for a free port', integer('--metrics-port', 0, 65535))
    .action((url: string, flags: Flags) => watch(url, flags, stop));
}

async function watch(url: string, flags: Flags, stop: AbortSignal): Promise<void> {
  const logger = createStreamLogger({ level: flags.verbose ? 'debug' : 'info' });
  const { ledger, ledgerMaxSize: maxBytes } = flags;
  if (ledger === undefined && maxBytes !== undefined) {
    throw new CapError('CAP_USAGE', '--ledger-max-size is for --ledger', { hint: 'add --ledger' });
  }
  await using session = await WatchSession.open(url, {
    ...toModels(flags),
    ...toBudget(flags),
    sampler: toSampler(flags),
    picture: toPicture(flags),
    watch: {
      everyMs: flags.every,
      gate: toGate(flags),
      ...toDeltas(flags),
      ...toSpending(flags),
      ...(await toLook(flags)),
    },
    ledger: ledger === undefined ? undefined : { folder: ledger, maxBytes },
    queue: flags.queue === undefined ? undefined : queueUrl(flags.queue),
    logger,
  });
  await using metrics =
    flags.metricsPort === undefined
      ? undefined
      : await startMetricsServer({ port: flags.metricsPort, registry: await watchMetrics(session) });
  if (metrics) process.stderr.write(`metrics at ${metrics.url}\n`);
  show(session, flags.json === true);
  const troubles = showTroubles(session, logger);
  if (flags.report) reportWords(session, new WordsReport(flags.report, url, toSampler(flags)), troubles);
  const end = (): void => void session.watch.close();
  const timer = flags.duration === undefined ? undefined : setTimeout(end, flags.duration);
  if (stop.aborted) end();
  stop.addEventListener('abort', end, { once: true });
  const error = await session.watch.finished;
  clearTimeout(timer);
  troubles.settle();
  if (!flags.json) process.stderr.write(`${summary(session)}\n`);
  // What was answered last is written now.
  await session.close();
  if (error ?? session.ledgerFailure) throw error ?? session.ledgerFailure;
}

function show({ watch }: WatchSession, json: boolean): void {
  if (json) {
    watch.on('answered', (answer, receipt) => process.stdout.write(answerJson(answer, receipt)));
    return;
  }
  const printer = new AnswerPrinter(process.stdout);
  watch.on('streamed', (delta) => printer.streamed(delta));
  watch.on('answered', (answer) => printer.answered(answer));
  watch.on('failed', () => printer.broken());
  watch.on('ended', () => printer.broken());
}

/** What goes wrong and is tried again. What ends the watch is for the command's last line alone. */
function showTroubles({ watch, sampler, adaptor }: WatchSession, logger: Logger): RepeatedLines {
  const troubles = new RepeatedLines((line) => logger.warn(line));
  sampler.on('disconnected', (error) => troubles.say(`${error.message}; trying again`));
  sampler.on('connected', () => troubles.settle());
  watch.on('failed', (error, _frame, goesOn) => {
    if (goesOn) troubles.say(errorText(error));
  });
  watch.on('fellBack', (error, provider) => troubles.say(`${error.message}; asking ${provider}`));
  watch.on('budget', (step) => logger.info(BUDGET_LINES[step]));
  watch.on('answered', (answer) => {
    if (answer.provider === adaptor.provider) troubles.settle();
  });
  return troubles;
}

const BUDGET_LINES: Readonly<Record<BudgetStep, string>> = {
  normal: 'the budget has room again',
  slower: 'half of the budget is used up: requests come farther apart',
  smaller: 'three quarters of the budget are used up: pictures are sent at half their pixels',
  deltas: 'most of the budget is used up: where only a part of the screen has changed, only that part is sent',
  local: 'nine tenths of the budget are used up: only the local provider is asked',
  stopped: 'the budget is used up: nothing is sent until there is room again',
};

/** The page is beside the point: a watch goes on without it. */
function reportWords({ watch }: WatchSession, report: WordsReport, troubles: RepeatedLines): void {
  watch.on('answered', ({ text, provider }) => {
    report.send(text, provider).catch((error) => troubles.say(toCapError(error).message));
  });
}

function summary({ watch }: WatchSession): string {
  const { seen, answered, failed, overBudget, gated, superseded } = watch.counts();
  const stopped = overBudget > 0 ? `, ${overBudget} over budget` : '';
  return `${seen} frames seen, ${answered} answered, ${failed} failed${stopped}, ${gated} without news, ${superseded} superseded by newer ones`;
}
