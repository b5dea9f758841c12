import {
  type Adaptor,
  type BudgetLimit,
  FleetBudget,
  FleetWorker,
  type FleetWorkerOptions,
  type ImageDetail,
  type Price,
  parseQueueAddress,
  priceOf,
  RedisLink,
  type WorkerModel,
} from '../consumer/index.js';
import { CapError, type Closable, closeAll, type Logger, once, silentLogger } from '../core/index.js';
import { type ModelOptions, openModel } from './watch-session.js';

/** The options of the parts of a worker. */
export interface WorkerSessionOptions {
  /** The models that are asked, with their keys. */
  readonly models: readonly ModelOptions[];
  /** Of the first model. @default as in the table of prices */
  readonly price?: Price | undefined;
  /** What all workers of the queue may spend together; none of them lifts the limits. @default as it was */
  readonly budget?: readonly BudgetLimit[] | undefined;
  readonly worker?: Omit<FleetWorkerOptions, 'logger'> | undefined;
  readonly logger?: Logger | undefined;
}

/** A worker of a queue, with its connection and its models. */
export class WorkerSession implements Closable {
  readonly worker: FleetWorker;
  /** What is asked, as `provider/model`. */
  readonly names: readonly string[];
  readonly #owned: readonly Closable[];

  private constructor(worker: FleetWorker, names: readonly string[], owned: readonly Closable[]) {
    this.worker = worker;
    this.names = names;
    this.#owned = owned;
  }

  /**
   * Opens the models and begins to take requests.
   * @throws CAP_USAGE, CAP_PROVIDER_AUTH when there is no key, CAP_QUEUE_UNAVAILABLE
   */
  static async open(url: string, options: WorkerSessionOptions): Promise<WorkerSession> {
    const { logger = silentLogger, budget: limits, worker } = options;
    const models: OpenModel[] = [];
    let link: RedisLink | undefined;
    try {
      for (const [index, model] of options.models.entries()) {
        models.push(await OpenModel.open(model, index === 0 ? options.price : undefined, logger));
      }
      link = await RedisLink.open(parseQueueAddress(url), logger);
      const budget = new FleetBudget(link.redis);
      if (limits) await budget.limit(limits);
      await expectPrices(budget, models);
      const started = await FleetWorker.start(link, models, budget, { ...worker, logger });
      const names = models.map(({ name }) => `${name.provider}/${name.model}`);
      return new WorkerSession(started, names, [started, ...models, link]);
    } catch (error) {
      await closeAll([...models, link]);
      throw error;
    }
  }

  readonly close = once(() => closeAll(this.#owned));

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One model, opened for each degree of detail that is asked for. */
class OpenModel implements WorkerModel, Closable {
  readonly name: Adaptor;
  readonly price: Price | undefined;
  readonly isFree: boolean;
  readonly #options: ModelOptions;
  readonly #logger: Logger;
  readonly #adaptors = new Map<ImageDetail | undefined, Promise<Adaptor>>();

  private constructor(options: ModelOptions, adaptor: Adaptor, price: Price | undefined, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    this.name = adaptor;
    this.isFree = adaptor.provider === 'local';
    this.price = price ?? priceOf(adaptor.model);
    this.#adaptors.set(undefined, Promise.resolve(adaptor));
  }

  static async open(options: ModelOptions, price: Price | undefined, logger: Logger): Promise<OpenModel> {
    return new OpenModel(options, await openModel(options, logger), price, logger);
  }

  adaptor(detail: ImageDetail | undefined): Promise<Adaptor> {
    const adaptor =
      this.#adaptors.get(detail) ?? openModel({ ...this.#options, ...(detail ? { detail } : {}) }, this.#logger);
    this.#adaptors.set(detail, adaptor);
    return adaptor;
  }

  readonly close = once(async () => {
    for (const adaptor of this.#adaptors.values()) await adaptor.then((open) => open.close()).catch(() => {});
  });
}

/** What a limit in dollars counts has to have a price. */
async function expectPrices(budget: FleetBudget, models: readonly OpenModel[]): Promise<void> {
  const priceless = models.find(({ price, isFree }) => price === undefined && !isFree);
  if (!priceless || !(await budget.limits()).some(({ unit }) => unit === 'usd')) return;
  throw new CapError('CAP_USAGE', `the price of ${priceless.name.model} is not known`, {
    hint: 'name it with --price IN/OUT in dollars for a million tokens, or give a budget in tokens',
  });
}
