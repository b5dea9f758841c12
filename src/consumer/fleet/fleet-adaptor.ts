import { closedError, once, type Size } from '../../core/index.js';
import type { Adaptor, AdaptorAnswer, AdaptorRequest, TokenUsage } from '../adaptor.js';
import { linkAbort } from '../linked-abort.js';
import type { ImageLimits } from '../models.js';
import { openAdaptor, PROVIDERS } from '../providers.js';
import { StaleFrame } from '../stale-frame.js';
import type { ImageCost, ImageDetail } from '../tokens/formula.js';
import type { FleetClient } from './fleet-client.js';
import { packRequest, unpackError } from './fleet-job.js';

/** What is asked through a queue. */
export interface FleetAdaptorOptions {
  readonly provider: string;
  /** @default the provider's `defaultModel` */
  readonly model?: string | undefined;
  readonly detail?: ImageDetail | undefined;
  /** Names the stream to the workers. */
  readonly stream: string;
  /** Longest wait for an answer. @default 300_000 */
  readonly timeoutMs?: number | undefined;
}

/** A model that is asked by whichever worker is free. This machine needs no key. */
export class FleetAdaptor implements Adaptor {
  readonly #model: Adaptor;
  readonly #client: FleetClient;
  readonly #options: FleetAdaptorOptions;
  readonly #closing = new AbortController();

  private constructor(model: Adaptor, client: FleetClient, options: FleetAdaptorOptions) {
    this.#model = model;
    this.#client = client;
    this.#options = options;
  }

  /** Closes with the adaptor, the client does not. @throws CAP_USAGE */
  static async open(client: FleetClient, options: FleetAdaptorOptions): Promise<FleetAdaptor> {
    const { provider: name, model, detail } = options;
    const provider = PROVIDERS.find((one) => one.name === name);
    // Knows limits and costs, and is never asked: the keys and addresses are those of the workers.
    const known = await openAdaptor(name, {
      apiKey: 'none',
      ...(model === undefined ? {} : { model }),
      ...(detail === undefined ? {} : { detail }),
      ...(provider?.baseUrlRequired ? { baseUrl: 'http://127.0.0.1/v1' } : {}),
    });
    return new FleetAdaptor(known, client, options);
  }

  get provider(): string {
    return this.#model.provider;
  }

  get model(): string {
    return this.#model.model;
  }

  get limits(): ImageLimits {
    return this.#model.limits;
  }

  get fixedPrompt(): string | undefined {
    return this.#model.fixedPrompt;
  }

  imageCost(size: Size): ImageCost {
    return this.#model.imageCost(size);
  }

  /** The text of the answer arrives in one piece. */
  async ask(request: AdaptorRequest): Promise<AdaptorAnswer> {
    if (this.#closing.signal.aborted) throw closedError(`the ${this.provider} adaptor`);
    const { stream, detail, timeoutMs = 300_000 } = this.#options;
    const { staleInMs = timeoutMs, frameNumber, signal } = request;
    const errand = {
      provider: this.provider,
      model: this.model,
      stream,
      detail,
      frameNumber,
      leaveWithinMs: Math.ceil(Math.max(1, Math.min(staleInMs, timeoutMs))),
      answerWithinMs: timeoutMs,
    };
    const link = linkAbort(signal, this.#closing.signal);
    const reply = await this.#client.send(packRequest(request), errand, link.signal).finally(link.release);
    if (reply.kind === 'stale' || reply.kind === 'superseded') throw new StaleFrame(reply.kind);
    if (reply.kind === 'failed') {
      // What became of the attempts before, nobody knows.
      const billed = reply.attempts > 1 ? undefined : reply.billed;
      if (billed) request.onDiscarded?.(billed as TokenUsage);
      throw unpackError(reply.error, billed === undefined);
    }
    const { answer, attempts, queuedMs } = reply;
    if (answer.text !== '') request.onText?.(answer.text);
    return { ...(answer as AdaptorAnswer), attempts, queuedMs };
  }

  readonly close = once(async () => {
    this.#closing.abort(closedError(`the ${this.provider} adaptor`));
    await this.#model.close();
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
