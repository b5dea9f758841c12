import { once as onceEmitted } from 'node:events';
import type { Job, Queue, Worker } from 'bullmq';
import {
  type CapError,
  type Closable,
  closeAll,
  type Logger,
  once,
  silentLogger,
  TypedEvents,
} from '../../core/index.js';
import type { Adaptor } from '../adaptor.js';
import { CircuitBreaker } from '../queue/circuit-breaker.js';
import type { FleetBudget } from './fleet-budget.js';
import { QUEUE_OPTIONS, queueName } from './fleet-job.js';
import { type JobOutcome, JobRunner, type ServedModel } from './job-runner.js';
import { JobStore } from './job-store.js';
import type { RedisLink } from './redis-link.js';

/** How a worker works. */
export interface FleetWorkerOptions {
  /** Requests under way at the same time, of each model. @default 4 */
  readonly concurrency?: number | undefined;
  /** Of all workers together, for each model. @default no limit */
  readonly requestsPerMinute?: number | undefined;
  /** A worker that says nothing for so long is lost, and its requests are taken by others. @default 15_000 */
  readonly lostAfterMs?: number | undefined;
  /** What is under way when it is closed may take so long. @default 30_000 */
  readonly graceMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/** What became of the requests that a worker took. */
export interface FleetWorkerCounts {
  readonly answered: number;
  readonly failed: number;
  /** Too old when it was their turn. */
  readonly stale: number;
  /** Answered before, by a worker that was lost. */
  readonly known: number;
  /** Left to another worker. */
  readonly again: number;
}

export type FleetWorkerEvents = {
  /** Its key is refused: it is to be closed, and gives back what it holds then. */
  ended: [error: CapError];
};

/** One of the models of a worker, with where its requests come from. */
export interface WorkerModel extends ServedModel {
  readonly name: Pick<Adaptor, 'provider' | 'model'>;
}

/** No limit, but BullMQ heeds a pause only where there is one. */
const UNLIMITED = 1_000_000;
/** A lost worker's requests are found by the second look, and its lock is renewed four times in its time. */
const LOOKS = 2;
const RENEWALS = 4;
/** Redis may be away when a worker is closed. */
const CLOSING_MS = 3000;

/** Takes requests out of queues, asks their models, and keeps the answers for the watches. */
export class FleetWorker extends TypedEvents<FleetWorkerEvents> implements Closable {
  readonly #logger: Logger;
  readonly #graceMs: number;
  readonly #giveBack = new AbortController();
  readonly #leaving = new AbortController();
  readonly #workers: Worker[] = [];
  readonly #queues: Queue[] = [];
  readonly #counts = { answered: 0, failed: 0, stale: 0, known: 0, again: 0 };
  #underWay = 0;
  #ended = false;

  private constructor(options: FleetWorkerOptions) {
    super();
    this.#logger = options.logger ?? silentLogger;
    this.#graceMs = options.graceMs ?? 30_000;
  }

  /** Begins to take requests. Closes neither the connection nor the models. */
  static async start(
    link: RedisLink,
    models: readonly WorkerModel[],
    budget: FleetBudget,
    options: FleetWorkerOptions = {},
  ): Promise<FleetWorker> {
    const bullmq = await import('bullmq');
    const worker = new FleetWorker(options);
    for (const model of models) worker.#serve(bullmq, link, model, budget, options);
    await Promise.all(worker.#workers.map((one) => one.waitUntilReady()));
    return worker;
  }

  counts(): FleetWorkerCounts {
    return { ...this.#counts };
  }

  /** Requests that are being asked now. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Finishes what is under way, if that does not take too long; the rest is for other workers. */
  readonly close = once(async () => {
    const timer = setTimeout(() => this.#giveBack.abort(), this.#underWay === 0 ? 0 : this.#graceMs);
    const closing = Promise.all(this.#workers.map((one) => one.close())).then(() => closeAll(this.#queues));
    this.#leaving.abort();
    const tooLong = new Promise<void>((resolve) => {
      this.#giveBack.signal.addEventListener('abort', () => setTimeout(resolve, CLOSING_MS));
    });
    await Promise.race([closing, tooLong]);
    clearTimeout(timer);
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #serve(
    { Worker, Queue, WaitingError }: typeof import('bullmq'),
    link: RedisLink,
    model: WorkerModel,
    budget: FleetBudget,
    options: FleetWorkerOptions,
  ): void {
    const { concurrency = 4, requestsPerMinute = UNLIMITED, lostAfterMs = 15_000 } = options;
    const name = queueName(model.name.provider, model.name.model);
    const base = { connection: link.redis, ...QUEUE_OPTIONS };
    const queue = new Queue(name, base);
    const runner = new JobRunner(new JobStore(link.redis), budget, model);
    const breaker = new CircuitBreaker();
    const leave = async (job: Job, token?: string): Promise<never> => {
      // Not before no more are taken: it would come back at once.
      if (!this.#leaving.signal.aborted) await onceEmitted(this.#leaving.signal, 'abort');
      await job.moveToWait(token);
      throw new WaitingError();
    };
    const process = async (job: Job, token?: string): Promise<void> => {
      // One that was waited for when the worker was closed, or lost its key, may still come.
      if (this.#ended || this.#leaving.signal.aborted) return leave(job, token);
      this.#underWay += 1;
      const outcome = await runner.run(job.id ?? '', job.data, this.#giveBack.signal).finally(() => {
        this.#underWay -= 1;
      });
      this.#count(outcome);
      this.#logger.debug('request', { model: name, job: job.id, ...told(outcome) });
      if (outcome.kind === 'again') {
        if (outcome.error) this.#end(outcome.error);
        return leave(job, token);
      }
      const pauseMs = pauseAfter(breaker, outcome);
      if (pauseMs > 0) await queue.rateLimit(pauseMs);
    };
    const worker = new Worker(name, process, {
      ...base,
      concurrency,
      limiter: { max: requestsPerMinute, duration: 60_000 },
      lockDuration: lostAfterMs,
      lockRenewTime: lostAfterMs / RENEWALS,
      stalledInterval: lostAfterMs / LOOKS,
      // The runner counts who was lost, and says so to the watch.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    const failed = (error: Error): void => this.#logger.debug('queue', { model: name, error: error.message });
    queue.on('error', failed);
    worker.on('error', failed);
    this.#queues.push(queue);
    this.#workers.push(worker);
  }

  #count(outcome: JobOutcome): void {
    const kind = outcome.kind === 'replied' ? outcome.reply.kind : outcome.kind;
    if (kind !== 'superseded') this.#counts[kind] += 1;
  }

  #end(error: CapError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.emit('ended', error);
  }
}

/** A provider that is out of reach, or asks for a pause, is left alone by all workers. */
function pauseAfter(breaker: CircuitBreaker, outcome: JobOutcome): number {
  if (outcome.kind !== 'replied') return 0;
  if (outcome.error?.code === 'CAP_PROVIDER_UNAVAILABLE') {
    breaker.failed(outcome.error, performance.now());
    return Math.ceil(breaker.waitMs(performance.now()));
  }
  if (outcome.reply.kind === 'answered') breaker.succeeded();
  return 0;
}

function told(outcome: JobOutcome): Record<string, unknown> {
  if (outcome.kind !== 'replied') return { became: outcome.kind };
  const { reply, error } = outcome;
  return {
    became: reply.kind,
    ...(error ? { error: error.message } : {}),
    ...('attempts' in reply ? { attempts: reply.attempts } : {}),
  };
}
