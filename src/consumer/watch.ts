import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import {
  type CapError,
  type Closable,
  closedError,
  type ErrorCode,
  expectInteger,
  expectKnownKeys,
  type Frame,
  once,
  TypedEvents,
  toCapError,
} from '../core/index.js';
import { type Adaptor, type AdaptorRequest, DEFAULT_MAX_OUTPUT_TOKENS } from './adaptor.js';
import { frameAgeMs } from './frame-age.js';
import type { FrameSource } from './frame-source.js';
import { type Answer, LOOK_OPTION_NAMES, type LookOptions, look } from './look.js';
import { type Receipt, receiptOf, withAsk } from './receipt.js';
import { WatchAccounts, type WatchCounts } from './watch-accounts.js';

/** Says why a frame is not worth sending, or undefined when it is. The first gate that has a reason decides. */
export type Gate = (frame: Frame) => string | undefined | Promise<string | undefined>;

/** How often the model looks, at what, and what happens after a failure. */
export interface WatchOptions extends Omit<LookOptions, 'signal' | 'onText'> {
  /** Least milliseconds between the starts of two requests; 0 asks again at once. @default 5000 */
  readonly everyMs?: number;
  /** Requests under way at the same time, at least 1. @default 1 */
  readonly concurrency?: number;
  /** A frame that is older when it is its turn is not sent. @default no limit */
  readonly staleAfterMs?: number;
  /** @default none */
  readonly gates?: readonly Gate[];
  /** Wait after the first failure in a row, doubled with each more, unless the provider names one. @default 1000 */
  readonly backOffMs?: number;
  /** Longest wait that doubling leads to. @default 60_000 */
  readonly maxBackOffMs?: number;
}

/** What a watch says; `failed` and `skipped` do not end it. */
export type WatchEvents = {
  /** A piece of text arrived, about this frame. */
  streamed: [delta: string, frame: Frame];
  answered: [answer: Answer, receipt: Receipt];
  /** A request failed; unless the watch goes on, `ended` follows. */
  failed: [error: CapError, frame: Frame, goesOn: boolean];
  skipped: [frame: Frame, reason: string];
  /** Nothing follows. The error is what ended it; undefined after `close`. */
  ended: [error: CapError | undefined];
};

const OPTION_NAMES: readonly string[] = [
  ...LOOK_OPTION_NAMES.filter((name) => name !== 'signal' && name !== 'onText'),
  'everyMs',
  'concurrency',
  'staleAfterMs',
  'gates',
  'backOffMs',
  'maxBackOffMs',
];
const HOUR_MS = 3_600_000;
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

/**
 * Shows a model the newest frame again and again: `sample → gate → fit → queue → ask → event`.
 *
 * A turn takes its frame when it begins, so whatever came in while another request was under way has been
 * superseded by the newest. Failures are events and the watch goes on, after a pause; it ends when the key
 * is refused, when three requests in a row are, when an option cannot be, or when the source fails. It closes neither the source
 * nor the adaptor.
 */
export class Watch extends TypedEvents<WatchEvents> implements Closable {
  /** Resolves when the watch has ended, with the error that ended it. */
  readonly finished: Promise<CapError | undefined>;
  readonly #source: FrameSource;
  readonly #adaptor: Adaptor;
  readonly #options: WatchOptions;
  readonly #queue: PQueue;
  readonly #accounts: WatchAccounts;
  readonly #stopping = new AbortController();
  #taking: Promise<unknown> = Promise.resolve();
  #failuresInARow = 0;
  #rejectionsInARow = 0;
  #resumeAtMs = 0;
  #fatal: CapError | undefined;

  constructor(source: FrameSource, adaptor: Adaptor, options: WatchOptions = {}) {
    super();
    expectKnownKeys('watch', options, OPTION_NAMES);
    const interval = expectInteger('everyMs', options.everyMs ?? 5000, 0, 24 * HOUR_MS);
    for (const name of ['staleAfterMs', 'backOffMs', 'maxBackOffMs', 'timeoutMs'] as const) {
      if (options[name] !== undefined) expectInteger(name, options[name], 1, 24 * HOUR_MS);
    }
    const concurrency = expectInteger('concurrency', options.concurrency ?? 1, 1, 64);
    this.#source = source;
    this.#adaptor = adaptor;
    this.#options = options;
    this.#queue = new PQueue({ concurrency, ...(interval > 0 ? { interval, intervalCap: 1, strict: true } : {}) });
    this.#accounts = new WatchAccounts(source.framesSeen);
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
    this.#queueTurn();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.#queue.clear();
    await this.#queue.onIdle();
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
    const { signal } = this.#stopping;
    const waitMs = this.#resumeAtMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    let frame: Frame;
    try {
      frame = await this.#takeNewest();
    } catch (error) {
      this.#stop(toCapError(error));
      return;
    }
    await this.#show(frame);
  }

  /** One turn after the other, so that no two take the same frame. */
  #takeNewest(): Promise<Frame> {
    const taken = this.#taking.then(async () => {
      const { signal } = this.#stopping;
      const frame = await this.#source.next({ afterSequence: this.#accounts.lastSequence, signal });
      this.#accounts.take(frame.sequence);
      return frame;
    });
    this.#taking = taken.catch(() => {});
    return taken;
  }

  async #show(frame: Frame): Promise<void> {
    const { signal } = this.#stopping;
    try {
      if (this.#isStale(frame)) return this.#accounts.settle('stale');
      const reason = await this.#reasonToSkip(frame);
      if (reason !== undefined) {
        this.#accounts.settle('skipped');
        this.emit('skipped', frame, reason);
        return;
      }
      const onText = (delta: string): void => this.emit('streamed', delta, frame);
      const sent: AdaptorRequest[] = [];
      const recording = withAsk(this.#adaptor, (request) => {
        sent.push(request);
        return this.#adaptor.ask(request);
      });
      const answer = await look(frame, recording, { ...this.#options, signal, onText });
      const receipt = receiptOf(answer, {
        frame,
        reason: 'ungated',
        request: sent.at(-1) as AdaptorRequest,
        estimatedTokens: answer.estimatedTokens + DEFAULT_MAX_OUTPUT_TOKENS,
      });
      this.#accounts.settle('answered');
      this.#failuresInARow = 0;
      this.#rejectionsInARow = 0;
      this.emit('answered', answer, receipt);
    } catch (error) {
      if (signal.aborted) this.#accounts.settle('aborted');
      else this.#fail(toCapError(error), frame);
    }
  }

  #isStale(frame: Frame): boolean {
    const { staleAfterMs } = this.#options;
    return staleAfterMs !== undefined && (frameAgeMs(frame) ?? 0) > staleAfterMs;
  }

  async #reasonToSkip(frame: Frame): Promise<string | undefined> {
    for (const gate of this.#options.gates ?? []) {
      const reason = await gate(frame);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  #fail(error: CapError, frame: Frame): void {
    this.#accounts.settle('failed');
    this.#failuresInARow += 1;
    this.#rejectionsInARow = error.code === 'CAP_PROVIDER_REJECTED' ? this.#rejectionsInARow + 1 : 0;
    this.#resumeAtMs = performance.now() + (error.retryAfterMs ?? this.#backOffMs());
    const goesOn = !LASTING.includes(error.code) && this.#rejectionsInARow < MAX_REJECTIONS;
    this.emit('failed', error, frame, goesOn);
    if (!goesOn) this.#stop(error);
  }

  /** Doubles, with up to a quarter taken off so that many watches do not come back together. */
  #backOffMs(): number {
    const { backOffMs = 1000, maxBackOffMs = 60_000 } = this.#options;
    const doubled = Math.min(maxBackOffMs, backOffMs * 2 ** (this.#failuresInARow - 1));
    return doubled * (1 - Math.random() / 4);
  }
}
