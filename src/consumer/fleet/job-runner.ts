import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { CapError, toCapError } from '../../core/index.js';
import type { Adaptor, TokenUsage } from '../adaptor.js';
import { askBilled, type BilledRequest } from '../budget/billed-request.js';
import { estimateRequest, expenseOf, mostExpense } from '../budget/estimate.js';
import { linkAbort } from '../linked-abort.js';
import type { Price } from '../prices.js';
import type { ImageDetail } from '../tokens/formula.js';
import type { FleetBudget } from './fleet-budget.js';
import { type FleetJob, type FleetReply, fleetJob, packAnswer, packError, unpackRequest } from './fleet-job.js';
import type { Begun, JobStore } from './job-store.js';

/** A model that a worker asks. */
export interface ServedModel {
  /** Undefined when it is not known. */
  readonly price: Price | undefined;
  /** It costs nothing, whoever asks. */
  readonly isFree: boolean;
  adaptor(detail: ImageDetail | undefined): Promise<Adaptor>;
}

/** What became of a request that a worker had taken. */
export type JobOutcome =
  | { readonly kind: 'replied'; readonly reply: FleetReply; readonly error?: CapError }
  /** Another worker had replied before it was lost. */
  | { readonly kind: 'known' }
  /** For another worker; the error is what keeps this one from asking. */
  | { readonly kind: 'again'; readonly error?: CapError };

type Times = Parameters<JobStore['reply']>[2];

/** What costs so many workers is not to cost all of them. */
const MAX_ATTEMPTS = 5;
const NOTHING = { inputTokens: 0, outputTokens: 0 };
const NO_TIMES: Times = { queuedAt: 0, leaveBy: 0, answerBy: 0 };

/** Asks what a request of a queue asks, at most once unless it cannot know that, and keeps what came of it. */
export class JobRunner {
  readonly #store: JobStore;
  readonly #budget: FleetBudget;
  readonly #model: ServedModel;
  readonly #who = `${hostname()} ${process.pid}`;

  constructor(store: JobStore, budget: FleetBudget, model: ServedModel) {
    this.#store = store;
    this.#budget = budget;
    this.#model = model;
  }

  /** @param giveBack aborts when the worker may wait no longer */
  async run(id: string, data: unknown, giveBack: AbortSignal): Promise<JobOutcome> {
    const parsed = fleetJob.safeParse(data);
    if (!parsed.success) return this.#reply(id, NO_TIMES, failed(unreadable(), 1, NOTHING));
    const job = parsed.data;
    const attempt = randomUUID();
    const begun = await this.#store.begin(id, attempt, this.#who, job);
    if (begun.state === 'answered') return { kind: 'known' };
    const lost = begun.state === 'late' ? begun.attempts : begun.attempts - 1;
    if (begun.state === 'late' && lost === 0) return this.#reply(id, job, { kind: 'stale' });
    if (begun.state === 'late' || begun.attempts > MAX_ATTEMPTS) {
      return this.#reply(id, job, failed(workersLost(lost), lost, undefined));
    }
    const asked = await this.#ask(job, attempt, begun, giveBack);
    // First of all the answer is kept: it is what is not to be paid for twice.
    const outcome = await this.#conclude(id, job, begun, asked, giveBack);
    // What may have been billed for all that is known stays reserved.
    if (asked.billed && !this.#model.isFree) {
      await this.#budget.settle(attempt, expenseOf(asked.billed, this.#model.price));
    }
    return outcome;
  }

  async #ask(job: FleetJob, attempt: string, { nowMs }: Begun, giveBack: AbortSignal): Promise<BilledRequest> {
    const { price, isFree } = this.#model;
    const link = linkAbort(giveBack);
    const timer = setTimeout(() => link.abort(tooSlow()), Math.max(1, job.answerBy - nowMs));
    try {
      const adaptor = await this.#model.adaptor(job.detail);
      const request = unpackRequest(job.request);
      const estimate = estimateRequest(request, adaptor);
      if (!isFree) await this.#budget.reserve(attempt, mostExpense(estimate, price), price !== undefined);
      return await askBilled(adaptor, { ...request, signal: link.signal }, estimate);
    } catch (error) {
      // It was not sent.
      return { error, billed: NOTHING };
    } finally {
      clearTimeout(timer);
      link.release();
    }
  }

  async #conclude(
    id: string,
    job: FleetJob,
    { attempts, nowMs }: Begun,
    asked: BilledRequest,
    giveBack: AbortSignal,
  ): Promise<JobOutcome> {
    if ('answer' in asked) {
      const queuedMs = Math.max(0, nowMs - job.queuedAt);
      return this.#reply(id, job, { kind: 'answered', answer: packAnswer(asked.answer), attempts, queuedMs });
    }
    if (giveBack.aborted) return { kind: 'again' };
    const error = toCapError(asked.error);
    // Another worker may have a key that is taken.
    if (error.code === 'CAP_PROVIDER_AUTH' && attempts < MAX_ATTEMPTS) return { kind: 'again', error };
    return this.#reply(id, job, failed(error, attempts, asked.billed), error);
  }

  async #reply(id: string, times: Times, reply: FleetReply, error?: CapError): Promise<JobOutcome> {
    if (!(await this.#store.reply(id, reply, times))) return { kind: 'known' };
    return { kind: 'replied', reply, ...(error ? { error } : {}) };
  }
}

function failed(error: CapError, attempts: number, billed: TokenUsage | undefined): FleetReply {
  return { kind: 'failed', error: packError(error), attempts, ...(billed ? { billed } : {}) };
}

function unreadable(): CapError {
  return new CapError('CAP_USAGE', 'the worker cannot read the request', { hint: 'run one version of cap everywhere' });
}

function workersLost(count: number): CapError {
  return new CapError('CAP_PROVIDER_UNAVAILABLE', `the answer is lost with the ${count} workers that asked for it`);
}

function tooSlow(): CapError {
  return new CapError('CAP_PROVIDER_UNAVAILABLE', 'no answer in the time that the watch allows', {
    hint: 'allow more time with --timeout or use a faster model',
  });
}
