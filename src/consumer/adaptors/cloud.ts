import { CapError, closedError, type Logger, once, registerSecret, type Size } from '../../core/index.js';
import type { Adaptor, AdaptorAnswer, AdaptorRequest } from '../adaptor.js';
import { linkAbort } from '../linked-abort.js';
import { type ImageLimits, type ModelProfile, type ModelVendor, profileOf } from '../models.js';
import { askForData } from '../structured-answer.js';
import type { ImageCost, ImageDetail } from '../tokens/formula.js';
import { providerError } from './provider-error.js';

/** What every adaptor that talks to a server is opened with. */
export interface CloudOptions {
  readonly model: string;
  readonly apiKey: string;
  /** Another server with the same interface. @default the provider's own */
  readonly baseUrl?: string;
  /** How closely the model looks, where the provider offers a choice. @default 'high' */
  readonly detail?: ImageDetail;
  readonly logger?: Logger;
}

interface CloudProvider {
  readonly provider: string;
  readonly vendor: ModelVendor;
  /** Named in the hint of CAP_PROVIDER_AUTH. */
  readonly keyVariable: string;
  readonly fixedPrompt?: string;
  /** Sends one request through the provider's SDK, whose errors it lets through. */
  send(request: AdaptorRequest, signal: AbortSignal): Promise<AdaptorAnswer>;
}

/** What the adaptors of servers have in common: limits, costs, errors, abort and close. */
export class CloudAdaptor implements Adaptor {
  readonly provider: string;
  readonly model: string;
  readonly #cloud: CloudProvider;
  readonly #profile: ModelProfile;
  readonly #detail: ImageDetail;
  readonly #closing = new AbortController();

  constructor(cloud: CloudProvider, options: CloudOptions) {
    registerSecret(options.apiKey);
    this.provider = cloud.provider;
    this.model = options.model;
    this.#cloud = cloud;
    this.#profile = profileOf(cloud.vendor, options.model, options.logger);
    this.#detail = options.detail ?? 'high';
    // Refuses a detail that the model does not offer now, not with the first frame.
    this.imageCost({ width: 64, height: 64 });
  }

  get limits(): ImageLimits {
    return this.#profile.limits;
  }

  get fixedPrompt(): string | undefined {
    return this.#cloud.fixedPrompt;
  }

  imageCost(size: Size): ImageCost {
    return this.#profile.formula(size, this.#detail);
  }

  async ask(request: AdaptorRequest): Promise<AdaptorAnswer> {
    if (this.#closing.signal.aborted) throw closedError(`the ${this.provider} adaptor`);
    const link = linkAbort(request.signal, this.#closing.signal);
    try {
      link.signal.throwIfAborted();
      const send = (one: AdaptorRequest): Promise<AdaptorAnswer> => this.#cloud.send(one, link.signal);
      const { schema } = request;
      return await (schema === undefined ? send(request) : askForData(send, { ...request, schema }));
    } catch (error) {
      link.signal.throwIfAborted();
      throw providerError(error, this.provider, this.#cloud.keyVariable);
    } finally {
      link.release();
    }
  }

  readonly close = once(async () => this.#closing.abort(closedError(`the ${this.provider} adaptor`)));
}

/** The stream ended without the event that completes an answer. */
export function cutOff(provider: string): CapError {
  return new CapError('CAP_PROVIDER_UNAVAILABLE', `${provider}: the answer was cut off`, { hint: 'try again later' });
}

/** The model used up its output tokens before it wrote anything, or declined to write. */
export function noText(provider: string, reason: string): CapError {
  return new CapError('CAP_PROVIDER_REJECTED', `${provider}: no answer: ${reason}`, {
    hint: reason.includes('token') ? 'allow more output tokens' : 'change the prompt',
  });
}
