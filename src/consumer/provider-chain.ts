import { CapError, type Frame, toCapError } from '../core/index.js';
import type { Adaptor, AdaptorAnswer, AdaptorRequest, TokenUsage } from './adaptor.js';
import { askBilled } from './budget/billed-request.js';
import type { Budget, BudgetStep } from './budget/budget.js';
import { estimateRequest, expenseOf, mostExpense } from './budget/estimate.js';
import { DeltaTrack } from './deltas/delta-track.js';
import { frameAgeMs } from './frame-age.js';
import type { Pick } from './gate/frame-picker.js';
import { type Answer, look } from './look.js';
import { type Price, priceOf } from './prices.js';
import { CircuitBreaker } from './queue/circuit-breaker.js';
import type { RequestQueue } from './queue/request-queue.js';
import { type Receipt, receiptOf, type SendReason } from './receipt.js';
import { isStale, StaleFrame } from './stale-frame.js';
import type { WatchOptions } from './watch-options.js';

interface Link {
  readonly adaptor: Adaptor;
  readonly breaker: CircuitBreaker;
  /** Undefined when it is not known. */
  readonly price: Price | undefined;
  /** What this model has been shown. */
  readonly track: DeltaTrack;
}

interface Sent {
  readonly request: AdaptorRequest;
  readonly received: AdaptorAnswer;
  readonly estimate: TokenUsage;
  readonly costUsd: number | undefined;
}

const FREE: Price = { inputUsd: 0, outputUsd: 0 };
/** Of each side, when a budget nears its end: half the pixels. */
const SMALLER = Math.SQRT1_2;

/**
 * Asks the first of several providers that can be asked, within the budget and the rates: one that has failed is
 * left alone for a while, and when the budget nears its end only what costs nothing is asked.
 */
export class ProviderChain {
  readonly #links: readonly Link[];
  readonly #options: WatchOptions;
  readonly #budget: Budget | undefined;
  readonly #queue: RequestQueue | undefined;

  /** @throws CAP_USAGE when a budget is in dollars and a price is not known */
  constructor(adaptors: readonly Adaptor[], options: WatchOptions) {
    this.#options = options;
    this.#budget = options.budget;
    this.#queue = options.queue;
    const { ignoreRegions } = options.gate || {};
    this.#links = adaptors.map((adaptor, index) => {
      const known = adaptor.provider === 'local' ? FREE : priceOf(adaptor.model);
      return {
        adaptor,
        breaker: new CircuitBreaker(options),
        price: (index === 0 ? options.price : undefined) ?? known,
        track: new DeltaTrack(options.deltas || {}, ignoreRegions),
      };
    });
    const priceless = this.#links.find(({ price }) => price === undefined);
    if (this.#budget?.needsPrice && priceless) {
      throw new CapError('CAP_USAGE', `the price of ${priceless.adaptor.model} is not known`, {
        hint: 'name it with --price IN/OUT in dollars for a million tokens, or give a budget in tokens',
      });
    }
  }

  /** How the nearing end of the budget is to be met. */
  step(): BudgetStep {
    const step = this.#budget?.step() ?? 'normal';
    return step === 'local' && !this.#links.some(isFree) ? 'deltas' : step;
  }

  /** Until one of the providers may be asked. */
  waitMs(nowMs: number): number {
    return Math.min(...this.#links.map(({ breaker }) => breaker.waitMs(nowMs)));
  }

  /** A frame was picked, and nobody is asked about it. */
  passOver({ frame, changed }: Pick): void {
    for (const { track } of this.#links) track.note(frame, changed);
  }

  /**
   * Shows a frame to the first provider that answers.
   *
   * @param fellBack is told why one did not, when there is another
   * @throws StaleFrame, CAP_BUDGET_EXHAUSTED, or the error of the last provider
   */
  async ask(
    pick: Pick,
    options: AskOptions,
    fellBack: (error: CapError, adaptor: Adaptor) => void,
  ): Promise<[Answer, Receipt]> {
    const step = this.step();
    const nowMs = performance.now();
    const able = this.#links.filter(({ breaker }) => breaker.waitMs(nowMs) === 0);
    const links = (able.length > 0 ? able : this.#links).filter((link) => step !== 'local' || isFree(link));
    let last: CapError | undefined;
    for (const link of links) {
      if (last?.code === 'CAP_BUDGET_EXHAUSTED' && !isFree(link)) continue;
      if (last) fellBack(last, link.adaptor);
      try {
        return await this.#askOne(link, pick, options, step);
      } catch (error) {
        if (error instanceof StaleFrame || options.signal.aborted) throw error;
        last = toCapError(error);
      }
    }
    throw last ?? new CapError('CAP_BUDGET_EXHAUSTED', 'the budget is nearly used up, and no free provider answers');
  }

  async #askOne(
    link: Link,
    { frame, reason, changed }: Pick,
    options: AskOptions,
    step: BudgetStep,
  ): Promise<[Answer, Receipt]> {
    const { adaptor, breaker } = link;
    const sent: Sent[] = [];
    const track = this.#trackOf(link, reason, step);
    track?.note(frame, changed);
    const target = metered(adaptor, step, async (request) => {
      const estimate = estimateRequest(request, adaptor);
      const tokens = estimate.inputTokens + estimate.outputTokens;
      const send = () => this.#send(request, link, frame, estimate, sent);
      return this.#queue ? this.#queue.run(tokens, send, request.signal) : send();
    });
    breaker.begin();
    try {
      const answer = await look(frame, target, { ...this.#options, ...options }, track);
      breaker.succeeded();
      const { request, received, estimate, costUsd } = sent.at(-1) as Sent;
      const estimatedTokens = estimate.inputTokens + estimate.outputTokens;
      return [answer, receiptOf(answer, { frame, reason, changed, request, received, estimatedTokens, costUsd })];
    } catch (error) {
      track?.forget();
      const failure = toCapError(error);
      const isTheirs = !(error instanceof StaleFrame) && !options.signal?.aborted;
      if (isTheirs && failure.code !== 'CAP_BUDGET_EXHAUSTED') breaker.failed(failure, performance.now());
      else breaker.abandoned();
      throw error;
    }
  }

  /** Undefined where the whole picture is sent. Whoever was not asked all the time does not know all that was drawn. */
  #trackOf(link: Link, reason: SendReason, step: BudgetStep): DeltaTrack | undefined {
    const wanted = Boolean(this.#options.deltas) || step === 'deltas';
    for (const { track } of this.#links) if (track !== link.track || !wanted || reason === 'heartbeat') track.forget();
    // One with fixed prompts holds no conversation.
    return wanted && link.adaptor.fixedPrompt === undefined ? link.track : undefined;
  }

  async #send(
    request: AdaptorRequest,
    { adaptor, price }: Link,
    frame: Frame,
    estimate: TokenUsage,
    sent: Sent[],
  ): Promise<AdaptorAnswer> {
    if (isStale(frame, this.#options.staleAfterMs)) throw new StaleFrame();
    const isBilled = price !== FREE;
    const reservation = isBilled ? this.#budget?.reserve(mostExpense(estimate, price)) : undefined;
    const outcome = await askBilled(adaptor, { ...request, ...this.#waitOf(frame) }, estimate);
    // What may have been billed for all that is known stays reserved.
    if ('error' in outcome) {
      if (outcome.billed) reservation?.settle(expenseOf(outcome.billed, price));
      throw outcome.error;
    }
    const { answer: received, billed } = outcome;
    const spent = expenseOf(billed, price);
    const lost = mostExpense(estimate, price);
    const lostTimes = (received.attempts ?? 1) - 1;
    reservation?.settle({ tokens: spent.tokens + lostTimes * lost.tokens, usd: spent.usd + lostTimes * lost.usd });
    sent.push({ request, received, estimate, costUsd: price && spent.usd });
    return received;
  }

  /** What a queue of several machines has to know of the frame. */
  #waitOf(frame: Frame): { readonly frameNumber: number; readonly staleInMs?: number } {
    const { staleAfterMs } = this.#options;
    const frameNumber = frame.metadata?.frameNumber ?? frame.sequence;
    return staleAfterMs === undefined
      ? { frameNumber }
      : { frameNumber, staleInMs: staleAfterMs - (frameAgeMs(frame) ?? 0) };
  }
}

type AskOptions = Readonly<{ signal: AbortSignal; onText: (delta: string) => void }>;

const isFree = ({ price }: Link): boolean => price === FREE;

/** The same adaptor, asked through `ask`, and given smaller pictures when that is the step. */
function metered(adaptor: Adaptor, step: BudgetStep, ask: Adaptor['ask']): Adaptor {
  const { provider, model, limits, fixedPrompt } = adaptor;
  return {
    provider,
    model,
    limits,
    fixedPrompt,
    ask,
    imageCost: (size) => {
      const cost = adaptor.imageCost(size);
      if (step !== 'smaller' && step !== 'deltas') return cost;
      const side = (length: number): number => Math.max(1, Math.round(length * SMALLER));
      return { ...cost, seen: { width: side(cost.seen.width), height: side(cost.seen.height) } };
    },
    close: async () => {},
  };
}
