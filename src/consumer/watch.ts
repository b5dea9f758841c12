import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import {
  type CapError,
  type Closable,
  closedError,
  type ErrorCode,
  type Frame,
  once,
  TypedEvents,
  toCapError,
} from '../core/index.js';
import type { Adaptor } from './adaptor.js';
import type { BudgetStep } from './budget/budget.js';
import type { FrameSource } from './frame-source.js';
import { FramePicker, type Pick, type Picker } from './gate/frame-picker.js';
import { NewestPicker } from './gate/newest-picker.js';
import type { Answer } from './look.js';
import { ProviderChain } from './provider-chain.js';
import type { Receipt } from './receipt.js';
import { isStale, StaleFrame } from './stale-frame.js';
import { WatchAccounts, type WatchCounts } from './watch-accounts.js';
import { expectWatchOptions, type WatchOptions } from './watch-options.js';

/** What a watch says; `failed` and `skipped` do not end it. */
export type WatchEvents = {
  /** A piece of text arrived, about this frame. */
  streamed: [delta: string, frame: Frame];
  answered: [answer: Answer, receipt: Receipt];
  /** A request failed; unless the watch goes on, `ended` follows. */
  failed: [error: CapError, frame: Frame, goesOn: boolean];
  skipped: [frame: Frame, reason: string];
  /** A provider did not answer, and the one of this name was asked instead. */
  fellBack: [error: CapError, provider: string];
  /** The budget is so far used up that another step is taken, or there is room again. */
  budget: [step: BudgetStep];
  /** Nothing follows. The error is what ended it; undefined after `close`. */
  ended: [error: CapError | undefined];
};

/** What another try cannot change. */
const LASTING: readonly ErrorCode[] = [
  'CAP_PROVIDER_AUTH',
  'CAP_AUTH_FAILED',
  'CAP_TLS_UNTRUSTED',
  'CAP_USAGE',
  'CAP_DEPENDENCY_MISSING',
  'CAP_CLOSED',
];
/** A request that is refused this often in a row is refused for what it is. */
const MAX_REJECTIONS = 3;
/** When a budget nears its end, requests come so much farther apart. */
const SLOWER = 3;
const LEAST_SLOW_MS = 500;
/** Others that share a budget may give back what they had reserved before its window moves on. */
const LONGEST_STOP_MS = 60_000;

/**
 * Shows a model what is new on a stream: `sample → gate → fit → queue → ask → event`.
 *
 * Frames are not queued: what changes while a request is under way is there as one frame, the newest, when the
 * next one can leave. Answers and failures come in the order of their frames. Failures are events and the
 * watch goes on, after a pause; it ends when the key is refused, when three requests in a row are, when an
 * option cannot be, or when the source fails. It closes neither the source nor the adaptor.
 */
export class Watch extends TypedEvents<WatchEvents> implements Closable {
  /** Resolves when the watch has ended, with the error that ended it. */
  readonly finished: Promise<CapError | undefined>;
  readonly #source: FrameSource;
  readonly #chain: ProviderChain;
  readonly #options: WatchOptions;
  readonly #queue: PQueue;
  readonly #accounts: WatchAccounts;
  readonly #picker: Picker;
  readonly #stopping = new AbortController();
  #taking: Promise<unknown> = Promise.resolve();
  #telling: Promise<void> = Promise.resolve();
  #nextAtMs = 0;
  #step: BudgetStep = 'normal';
  #rejectionsInARow = 0;
  #resumeAtMs = 0;
  #fatal: CapError | undefined;

  constructor(source: FrameSource, adaptor: Adaptor, options: WatchOptions = {}) {
    super();
    expectWatchOptions(options);
    this.#source = source;
    this.#chain = new ProviderChain([adaptor, ...(options.fallbacks ?? [])], options);
    this.#options = options;
    // Each request that is under way listens: with many, Node warns of a leak.
    setMaxListeners(0, this.#stopping.signal);
    this.#queue = new PQueue({ concurrency: options.concurrency ?? 1 });
    this.#accounts = new WatchAccounts(source.framesSeen);
    this.#picker =
      options.gate === false
        ? new NewestPicker(source, this.#accounts)
        : new FramePicker(source, this.#accounts, options.gate);
    this.finished = this.#run();
  }

  counts(): WatchCounts {
    return this.#accounts.counts(this.#source.framesSeen);
  }

  /** Aborts what is under way. */
  readonly close = once(async () => {
    this.#stopping.abort(closedError('the watch'));
    await this.finished;
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<CapError | undefined> {
    const { signal } = this.#stopping;
    // The caller's listeners are not there before its own code has run.
    await Promise.resolve();
    const looking = this.#picker.run(signal).catch((error) => this.#stop(toCapError(error)));
    this.#queueTurn();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.#queue.clear();
    await Promise.all([looking, this.#queue.onIdle()]);
    await this.#telling;
    this.#accounts.end(this.#source.framesSeen);
    this.emit('ended', this.#fatal);
    return this.#fatal;
  }

  /** One turn more than may run at once is always queued; it has no frame yet. */
  #queueTurn(): void {
    if (this.#stopping.signal.aborted) return;
    void this.#queue.add(() => {
      this.#queueTurn();
      return this.#turn();
    });
  }

  #stop(error: CapError): void {
    if (this.#stopping.signal.aborted) return;
    this.#fatal = error;
    this.#stopping.abort(error);
  }

  async #turn(): Promise<void> {
    let pick: Pick;
    try {
      pick = await this.#takeNext();
    } catch (error) {
      this.#stop(toCapError(error));
      return;
    }
    // The turns before this one tell first, however long they take.
    const before = this.#telling;
    let told = (): void => {};
    this.#telling = new Promise((resolve) => {
      told = resolve;
    });
    const tell = await this.#show(pick);
    await before;
    tell?.();
    told();
  }

  /** One turn after the other, so that no two take the same frame. */
  #takeNext(): Promise<Pick> {
    const taken = this.#taking.then(async () => {
      const { signal } = this.#stopping;
      await this.#picker.ready(signal);
      // A failure of another turn may put it off meanwhile.
      for (let waitMs = this.#waitMs(); waitMs > 0; waitMs = this.#waitMs()) await sleep(waitMs, undefined, { signal });
      const pick = await this.#picker.pick(signal);
      this.#nextAtMs = performance.now() + this.#paceMs();
      return pick;
    });
    this.#taking = taken.catch(() => {});
    return taken;
  }

  #waitMs(): number {
    const nowMs = performance.now();
    return Math.max(this.#resumeAtMs - nowMs, this.#nextAtMs - nowMs, this.#chain.waitMs(nowMs));
  }

  #paceMs(): number {
    const { everyMs = 5000 } = this.#options;
    if (this.#step !== 'stopped') this.#take(this.#chain.step());
    return this.#step === 'normal' ? everyMs : SLOWER * Math.max(everyMs, LEAST_SLOW_MS);
  }

  #take(step: BudgetStep): void {
    if (step === this.#step) return;
    this.#step = step;
    this.emit('budget', step);
  }

  /** Returns what there is to be told of it. */
  async #show(pick: Pick): Promise<(() => void) | undefined> {
    const { frame } = pick;
    const { signal } = this.#stopping;
    try {
      if (isStale(frame, this.#options.staleAfterMs)) throw new StaleFrame();
      const reason = await this.#reasonToSkip(frame);
      if (reason !== undefined) {
        this.#accounts.settle('skipped');
        this.#chain.passOver(pick);
        this.#picker.delivered(pick);
        return () => this.emit('skipped', frame, reason);
      }
      const [answer, receipt] = await this.#ask(pick, signal);
      this.#accounts.settle('answered');
      this.#picker.delivered(pick);
      this.#rejectionsInARow = 0;
      return () => this.emit('answered', answer, receipt);
    } catch (error) {
      this.#picker.lost(pick);
      return this.#notShown(error, frame);
    }
  }

  async #ask(pick: Pick, signal: AbortSignal): Promise<[Answer, Receipt]> {
    const onText = (delta: string): void => this.emit('streamed', delta, pick.frame);
    const answered = await this.#chain.ask(pick, { signal, onText }, (error, { provider }) => {
      this.emit('fellBack', error, provider);
    });
    this.#take(this.#chain.step());
    return answered;
  }

  async #reasonToSkip(frame: Frame): Promise<string | undefined> {
    for (const gate of this.#options.gates ?? []) {
      const reason = await gate(frame);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Settles what became of the frame. */
  #notShown(cause: unknown, frame: Frame): (() => void) | undefined {
    const late = cause instanceof StaleFrame ? cause.outcome : undefined;
    if (this.#stopping.signal.aborted || late) {
      this.#accounts.settle(late ?? 'aborted');
      return undefined;
    }
    const error = toCapError(cause);
    if (error.code !== 'CAP_BUDGET_EXHAUSTED') return this.#fail(error, frame);
    this.#accounts.settle('overBudget');
    this.#resumeAtMs = performance.now() + Math.min(error.retryAfterMs ?? LONGEST_STOP_MS, LONGEST_STOP_MS);
    return () => this.#take('stopped');
  }

  #fail(error: CapError, frame: Frame): () => void {
    this.#accounts.settle('failed');
    this.#rejectionsInARow = error.code === 'CAP_PROVIDER_REJECTED' ? this.#rejectionsInARow + 1 : 0;
    const goesOn = !LASTING.includes(error.code) && this.#rejectionsInARow < MAX_REJECTIONS;
    return () => {
      this.emit('failed', error, frame, goesOn);
      if (!goesOn) this.#stop(error);
    };
  }
}
