import {
  type Adaptor,
  type AdaptorOptions,
  type Answer,
  Budget,
  type BudgetOptions,
  describe,
  FleetAdaptor,
  FleetClient,
  Ledger,
  type LedgerOptions,
  LedgerRecorder,
  type LookOptions,
  openAdaptor,
  type PresetChooser,
  profitsFromDeltas,
  Sampler,
  type SamplerOptions,
  Watch,
  type WatchOptions,
} from '../consumer/index.js';
import { CapError, type Closable, closeAll, type Logger, once, redact } from '../core/index.js';
import { openPicture, type PictureOptions } from './picture.js';

/** Who looks: a provider, and what it is opened with. */
export interface ModelOptions extends AdaptorOptions {
  /** A provider's name; see PROVIDERS. @default 'local' */
  readonly provider?: string | undefined;
}

/** The options of the parts of a watch session. */
export interface WatchSessionOptions {
  readonly model?: ModelOptions | undefined;
  /** Who is asked, in this order, when the model does not answer. @default nobody */
  readonly fallbacks?: readonly ModelOptions[] | undefined;
  /** What may be spent; the stream is named by its address. @default no limit */
  readonly budget?: Omit<BudgetOptions, 'stream'> | undefined;
  readonly sampler?: SamplerOptions | undefined;
  readonly watch?: Omit<WatchOptions, 'budget' | 'fallbacks' | 'presetChooser'> | undefined;
  /** The size in which pictures are sent, and how legible they are to be. @default all that the model gains from */
  readonly picture?: PictureOptions | undefined;
  /** A folder in which what is sent and answered is kept. @default none */
  readonly ledger?: (LedgerOptions & { readonly folder: string }) | undefined;
  /** The Redis server through which the model is asked by workers, `redis://host:6379/0`. @default asked from here */
  readonly queue?: string | undefined;
  readonly logger?: Logger | undefined;
}

/** A stream, sampled and shown to a model until it is closed. */
export class WatchSession implements Closable {
  readonly sampler: Sampler;
  readonly adaptor: Adaptor;
  readonly watch: Watch;
  readonly #others: readonly (Closable | undefined)[];
  #ledgerFailure: CapError | undefined;

  private constructor(sampler: Sampler, adaptor: Adaptor, watch: Watch, others: readonly (Closable | undefined)[]) {
    this.sampler = sampler;
    this.adaptor = adaptor;
    this.watch = watch;
    this.#others = others;
  }

  /** Why the ledger lacks something; undefined while it lacks nothing. */
  get ledgerFailure(): CapError | undefined {
    return this.#ledgerFailure;
  }

  /**
   * Opens the providers and begins to connect; frames and failures are events of `watch` and `sampler`.
   * @throws CAP_USAGE, CAP_PROVIDER_AUTH when there is no key, CAP_OUTPUT_FAILED for the ledger, CAP_QUEUE_UNAVAILABLE
   */
  static async open(url: string, options: WatchSessionOptions = {}): Promise<WatchSession> {
    const { logger } = options;
    const adaptors: Adaptor[] = [];
    let fleet: FleetClient | undefined;
    let ledger: Ledger | undefined;
    let sampler: Sampler | undefined;
    let presetChooser: PresetChooser | undefined;
    try {
      const picture = await openPicture(options.picture, { logger, waits: false });
      ({ presetChooser } = picture);
      if (options.queue !== undefined) fleet = await FleetClient.open(options.queue, { logger });
      const { model = {}, fallbacks: others = [], watch: { timeoutMs } = {} } = options;
      for (const one of [model, ...others]) {
        adaptors.push(await (fleet ? openRemote(fleet, one, redact(url), timeoutMs, logger) : openModel(one, logger)));
      }
      const [adaptor, ...fallbacks] = adaptors as [Adaptor, ...Adaptor[]];
      if (options.watch?.deltas && !profitsFromDeltas(adaptor)) {
        logger?.warn(`${adaptor.model} gains nothing by parts of a picture: the whole is sent each time`);
      }
      const budget = options.budget && new Budget({ ...options.budget, stream: redact(url) });
      if (options.ledger) ledger = await Ledger.open(options.ledger.folder, options.ledger);
      const recorder = ledger && new LedgerRecorder(ledger);
      const recorded = (one: Adaptor): Adaptor => recorder?.record(one) ?? one;
      sampler = new Sampler(url, { logger, ...options.sampler });
      const watch = new Watch(sampler, recorded(adaptor), {
        ...options.watch,
        ...picture,
        fallbacks: fallbacks.map(recorded),
        ...(budget ? { budget } : {}),
      });
      const session = new WatchSession(sampler, adaptor, watch, [presetChooser, ledger, ...fallbacks, fleet]);
      recorder?.attach(watch);
      recorder?.on('failed', (error) => session.#loseLedger(error, logger));
      return session;
    } catch (error) {
      await closeAll([sampler, ...adaptors, presetChooser, ledger, fleet]);
      throw error;
    }
  }

  readonly close = once(() => closeAll([this.watch, this.sampler, this.adaptor, ...this.#others]));

  /** The watch goes on. */
  #loseLedger(error: CapError, logger: Logger | undefined): void {
    if (!this.#ledgerFailure) logger?.warn(error.message);
    this.#ledgerFailure ??= error;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The options of the parts of one look. */
export interface DescribeOptions {
  readonly model?: ModelOptions | undefined;
  readonly sampler?: SamplerOptions | undefined;
  readonly look?: Omit<LookOptions, 'presetChooser'> | undefined;
  /** The size in which the picture is sent, and how legible it is to be. @default all that the model gains from */
  readonly picture?: PictureOptions | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * One look at a stream: connects, shows the newest frame to a model, and closes everything. The connection is
 * not tried twice, unless `sampler.retryFirstConnection` says so.
 * @throws CAP_STREAM_UNAVAILABLE, CAP_AUTH_FAILED, CAP_TLS_UNTRUSTED, CAP_PROVIDER_AUTH, CAP_PROVIDER_REJECTED, CAP_PROVIDER_UNAVAILABLE, CAP_USAGE
 */
export async function describeStream(url: string, options: DescribeOptions = {}): Promise<Answer> {
  const { logger } = options;
  const { scaling, presetChooser } = await openPicture(options.picture, { logger, waits: true });
  const closing: Closable[] = presetChooser ? [presetChooser] : [];
  try {
    const adaptor = await openModel(options.model, logger);
    closing.unshift(adaptor);
    const sampler = new Sampler(url, { logger, retryFirstConnection: false, ...options.sampler });
    closing.unshift(sampler);
    return await describe(sampler, adaptor, {
      ...options.look,
      ...(scaling ? { scaling } : {}),
      ...(presetChooser ? { presetChooser } : {}),
    });
  } finally {
    await closeAll(closing);
  }
}

export function openModel(
  { provider = 'local', ...options }: ModelOptions = {},
  logger: Logger | undefined,
): Promise<Adaptor> {
  return openAdaptor(provider, logger ? { logger, ...options } : options);
}

/** A model that the workers of a queue ask. Keys and addresses are theirs. */
async function openRemote(
  fleet: FleetClient,
  { provider = 'local', model, detail, ...others }: ModelOptions,
  stream: string,
  timeoutMs: number | undefined,
  logger: Logger | undefined,
): Promise<Adaptor> {
  const [theirs] = Object.keys(others);
  if (theirs !== undefined) {
    throw new CapError('CAP_USAGE', `${theirs} is for those who ask the model`, { hint: 'give it to cap worker' });
  }
  const adaptor = await FleetAdaptor.open(fleet, { provider, model, detail, stream, timeoutMs });
  if ((await fleet.workers(adaptor.provider, adaptor.model)) === 0) {
    logger?.warn(`no worker asks ${adaptor.provider}/${adaptor.model} yet: start cap worker --provider ${provider}`);
  }
  return adaptor;
}
