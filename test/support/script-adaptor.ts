import type { Adaptor, AdaptorAnswer, AdaptorRequest } from '../../src/consumer/index.js';
import { profileOf } from '../../src/consumer/models.js';

/** A model in the test itself, which does what it is told with each request. */
export class ScriptAdaptor implements Adaptor {
  readonly provider: string;
  readonly model = 'script-1';
  readonly limits = profileOf('openai', 'gpt-5.6').limits;
  readonly requests: AdaptorRequest[] = [];
  /** What it does with the next requests. */
  answer: (request: AdaptorRequest) => Promise<Partial<AdaptorAnswer>> = async () => ({});

  constructor(provider = 'script') {
    this.provider = provider;
  }

  imageCost(size: { width: number; height: number }) {
    return { tokens: Math.ceil((size.width * size.height) / 1024), seen: size };
  }

  async ask(request: AdaptorRequest): Promise<AdaptorAnswer> {
    request.signal?.throwIfAborted();
    this.requests.push(request);
    return { text: 'yes', model: this.model, ...(await this.answer(request)) };
  }

  async close(): Promise<void> {}
}
