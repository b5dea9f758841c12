import { createHash } from 'node:crypto';
import { type CapError, TypedEvents, toCapError } from '../../core/index.js';
import type { Adaptor, AdaptorAnswer, AdaptorRequest } from '../adaptor.js';
import type { Receipt } from '../receipt.js';
import type { Watch } from '../watch.js';
import type { Ledger } from './ledger.js';
import type { LedgerEntry } from './ledger-entry.js';

export type RecorderEvents = {
  /** An entry could not be written. */
  failed: [error: CapError];
};

type Unwritten = Parameters<Ledger['add']>[0];

/** Writes what goes through an adaptor into a ledger, with the receipts of the watch that asks. */
export class LedgerRecorder extends TypedEvents<RecorderEvents> {
  readonly #ledger: Ledger;
  /** Answers whose receipts are still to come, by what was sent. */
  readonly #answered = new Map<string, Unwritten[]>();

  constructor(ledger: Ledger) {
    super();
    this.#ledger = ledger;
  }

  /** The same adaptor, recorded; closing it closes neither. */
  record(adaptor: Adaptor): Adaptor {
    const { provider, model, limits, fixedPrompt } = adaptor;
    return {
      provider,
      model,
      limits,
      fixedPrompt,
      imageCost: (size) => adaptor.imageCost(size),
      ask: (request) => this.#ask(adaptor, request),
      close: async () => {},
    };
  }

  attach(watch: Watch): void {
    watch.on('answered', (_answer, receipt) => {
      const key = keyOf(
        receipt.provider,
        receipt.images.map(({ sha256 }) => sha256),
      );
      const entry = this.#answered.get(key)?.shift();
      if (this.#answered.get(key)?.length === 0) this.#answered.delete(key);
      if (entry) this.#write({ ...entry, receipt: plainReceipt(receipt) });
    });
    // Of what was answered while the watch was closed, there is no receipt.
    watch.on('ended', () => {
      for (const entry of [...this.#answered.values()].flat()) this.#write(entry);
      this.#answered.clear();
    });
  }

  async #ask(adaptor: Adaptor, request: AdaptorRequest): Promise<AdaptorAnswer> {
    const at = new Date().toISOString();
    const leftMs = performance.now();
    const entryOf = (rest: Pick<LedgerEntry, 'answer' | 'error'>): Unwritten => ({
      at,
      provider: adaptor.provider,
      model: adaptor.model,
      request: plainRequest(request),
      imageTokens: request.images.reduce((tokens, image) => tokens + adaptor.imageCost(image).tokens, 0),
      latencyMs: Math.round(performance.now() - leftMs),
      ...rest,
    });
    try {
      const answer = await adaptor.ask(request);
      const hashes = request.images.map(({ data }) => createHash('sha256').update(data).digest('hex'));
      const key = keyOf(adaptor.provider, hashes);
      const waiting = this.#answered.get(key) ?? [];
      this.#answered.set(key, [...waiting, entryOf({ answer: plainAnswer(answer) })]);
      return answer;
    } catch (error) {
      const { code, message } = toCapError(error);
      // What the watch itself takes back when it is closed, nobody has answered.
      if (code !== 'CAP_CLOSED') this.#write(entryOf({ error: { code, message } }));
      throw error;
    }
  }

  #write(entry: Unwritten): void {
    this.#ledger.add(entry).catch((error) => this.emit('failed', toCapError(error)));
  }
}

const keyOf = (provider: string, hashes: readonly string[]): string => [provider, ...hashes].join();

function plainRequest({ prompt, system, history, schema, maxOutputTokens, images, delta }: AdaptorRequest) {
  return {
    prompt,
    ...(system === undefined ? {} : { system }),
    ...(history === undefined || history.length === 0 ? {} : { history: [...history] }),
    ...(schema === undefined ? {} : { schema: { ...schema } }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    images,
    ...(delta === undefined ? {} : { delta: { ...delta, regions: [...delta.regions] } }),
  };
}

/** Without what a provider may have added. */
function plainAnswer({ text, model, data, usage, lines }: AdaptorAnswer): NonNullable<LedgerEntry['answer']> {
  return {
    text,
    model,
    ...(data === undefined ? {} : { data }),
    ...(usage === undefined ? {} : { usage }),
    ...(lines === undefined ? {} : { lines: [...lines] }),
  };
}

/** Without the images and what they are of, which the request has. */
function plainReceipt({ images: _, delta: __, ...receipt }: Receipt): NonNullable<LedgerEntry['receipt']> {
  return receipt;
}
