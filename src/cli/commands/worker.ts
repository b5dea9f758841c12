import type { Command } from 'commander';
import { type CapError, createStreamLogger, toCapError } from '../../core/index.js';
import { type BudgetLimit, parseBudget, parseQueueAddress, WorkerSession } from '../../session/index.js';
import { addProviderOptions, type ModelFlags, toModels } from '../model-options.js';
import { duration, integer } from '../parse-options.js';
import { addQueueOption, type QueueFlags, queueUrl } from '../queue-options.js';
import { price, type SpendingFlags } from '../spending-options.js';

type Flags = QueueFlags &
  Pick<ModelFlags, 'provider' | 'model' | 'baseUrl' | 'api' | 'verbose'> &
  Pick<SpendingFlags, 'price' | 'concurrency' | 'requestsPerMinute'> & {
    readonly budget?: readonly BudgetLimit[];
    readonly lostAfter?: number;
    readonly grace?: number;
  };

/** Adds `cap worker`: asks models what watches on other machines put into a queue, until Ctrl-C. */
export function registerWorker(program: Command, stop: AbortSignal): void {
  const command = program.command('worker').description('ask models what cap watch --queue wants to know');
  addProviderOptions(addQueueOption(command, 'where the requests are, by default $CAP_QUEUE_URL'))
    .option('--price <in/out>', 'US dollars for a million tokens, where the model is not known: 0.5/3', price)
    .option(
      '--budget <amount>',
      'most that all workers may spend, such as 200k-tokens/h or $2/day; repeatable; none lifts it',
      fleetBudget,
    )
    .option('--concurrency <n>', 'requests under way at the same time (default: 4)', integer('--concurrency', 1, 64))
    .option(
      '--requests-per-minute <n>',
      'of all workers, as the provider allows',
      integer('--requests-per-minute', 1, 1_000_000),
    )
    .option(
      '--lost-after <time>',
      "a worker's requests go to others when it is silent for so long (default: 15s)",
      duration('--lost-after', 1000, 600_000),
    )
    .option(
      '--grace <time>',
      'what is under way at the end may take so long (default: 30s)',
      duration('--grace', 1, 600_000),
    )
    .option('-v, --verbose', 'say more on standard error')
    .action((flags: Flags) => work(flags, stop));
}

async function work(flags: Flags, stop: AbortSignal): Promise<void> {
  const logger = createStreamLogger({ level: flags.verbose ? 'debug' : 'info' });
  const url = queueUrl(flags.queue ?? true);
  const { model, fallbacks } = toModels(flags);
  const { concurrency, requestsPerMinute, lostAfter: lostAfterMs, grace: graceMs } = flags;
  await using session = await WorkerSession.open(url, {
    models: [model, ...fallbacks],
    price: flags.price,
    budget: flags.budget,
    worker: { concurrency, requestsPerMinute, lostAfterMs, graceMs },
    logger,
  });
  logger.info(`asking ${session.names.join(', ')} for ${parseQueueAddress(url).label}`);
  const error = await untilEnded(session, stop);
  if (session.worker.underWay > 0) {
    logger.info(`finishing ${session.worker.underWay} requests; Ctrl-C again leaves them to other workers`);
  }
  await session.close();
  const { answered, failed, stale, known, again } = session.worker.counts();
  logger.info(`${answered} answered, ${failed} failed, ${stale} too old, ${known} known, ${again} left to others`);
  if (error) throw error;
}

function untilEnded({ worker }: WorkerSession, stop: AbortSignal): Promise<CapError | undefined> {
  return new Promise((resolve) => {
    worker.on('ended', (error) => resolve(toCapError(error)));
    if (stop.aborted) resolve(undefined);
    stop.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

function fleetBudget(text: string, before: readonly BudgetLimit[] = []): readonly BudgetLimit[] {
  return text === 'none' ? [] : [...before, parseBudget(text, '--budget')];
}
