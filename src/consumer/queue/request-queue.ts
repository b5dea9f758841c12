import PQueue from 'p-queue';
import { expectInteger, expectKnownKeys } from '../../core/index.js';
import { TokenRate } from './token-rate.js';

/** How many requests may be under way and leave, of all watches that share the queue. */
export interface RequestQueueOptions {
  /** Requests under way at the same time, at least 1. @default no limit */
  readonly concurrency?: number;
  /** @default no limit */
  readonly requestsPerMinute?: number;
  /** Input and longest output, as estimated before. @default no limit */
  readonly tokensPerMinute?: number;
}

/** Keeps requests within the rates that a provider grants. They leave in the order in which they came. */
export class RequestQueue {
  readonly #queue: PQueue;
  readonly #tokens: TokenRate | undefined;

  constructor(options: RequestQueueOptions = {}) {
    expectKnownKeys('a request queue', options, ['concurrency', 'requestsPerMinute', 'tokensPerMinute']);
    const { concurrency, requestsPerMinute, tokensPerMinute } = options;
    if (concurrency !== undefined) expectInteger('concurrency', concurrency, 1, 1024);
    if (requestsPerMinute !== undefined) expectInteger('requestsPerMinute', requestsPerMinute, 1, 1_000_000);
    if (tokensPerMinute !== undefined) expectInteger('tokensPerMinute', tokensPerMinute, 1, 1_000_000_000);
    const rate =
      requestsPerMinute === undefined ? {} : { interval: 60_000, intervalCap: requestsPerMinute, strict: true };
    this.#queue = new PQueue({ concurrency: concurrency ?? Number.POSITIVE_INFINITY, ...rate });
    this.#tokens = tokensPerMinute === undefined ? undefined : new TokenRate(tokensPerMinute);
  }

  /** Runs a request when it may leave. Rejects with the signal's reason when that comes first. */
  run<Result>(tokens: number, request: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    return this.#queue.add(
      async () => {
        await this.#tokens?.take(tokens, signal);
        signal?.throwIfAborted();
        return request();
      },
      signal ? { signal } : {},
    );
  }
}
