import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { CapError, type Closable, type Logger, once, silentLogger, toCapError } from '../../core/index.js';
import { type FleetJob, type FleetReply, QUEUE_OPTIONS, queueName } from './fleet-job.js';
import { JobStore, jobId, toldKey, watchOf } from './job-store.js';
import { parseQueueAddress } from './queue-address.js';
import { RedisLink } from './redis-link.js';

/** How much may lie in a queue. */
export interface FleetClientOptions {
  /** Requests for one model that no worker has taken yet; the oldest goes when there are more. @default 256 */
  readonly maxWaiting?: number;
  readonly logger?: Logger | undefined;
}

/** Where a request goes, and how long it may take. */
export interface Errand {
  readonly provider: string;
  readonly model: string;
  readonly stream: string;
  readonly frameNumber?: number | undefined;
  readonly detail?: FleetJob['detail'];
  /** It is not worth asking any more after so long. */
  readonly leaveWithinMs: number;
  /** An answer is worth nothing after so long. */
  readonly answerWithinMs: number;
}

interface Pending {
  readonly queue: Queue;
  readonly data: FleetJob;
  settle(reply: FleetReply): void;
}

const MAX_WAITING = 256;
/** With its images in base64. A provider takes 32 MB at most, and a server of Redis holds many. */
const MAX_JOB_BYTES = 24 * 2 ** 20;
const TAKING_BACK_MS = 1000;
const READ_BLOCK_MS = 5000;
const READ_RETRY_MS = 200;

/** The side of a queue that sends requests and hears what came of them. */
export class FleetClient implements Closable {
  readonly #link: RedisLink;
  readonly #store: JobStore;
  readonly #reader: Redis;
  readonly #newQueue: (name: string) => Queue;
  readonly #queues = new Map<string, Queue>();
  readonly #watch = randomUUID();
  readonly #pending = new Map<string, Pending>();
  readonly #takingBack = new Set<Promise<unknown>>();
  readonly #maxWaiting: number;
  readonly #logger: Logger;
  #count = 0;
  #closed = false;

  private constructor(link: RedisLink, newQueue: (name: string) => Queue, options: FleetClientOptions) {
    this.#link = link;
    this.#store = new JobStore(link.redis);
    this.#newQueue = newQueue;
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING;
    this.#logger = options.logger ?? silentLogger;
    this.#reader = link.duplicate();
    void this.#read();
    link.on('back', () => this.#guard(() => this.#recover()));
  }

  /** @throws CAP_QUEUE_UNAVAILABLE, CAP_USAGE */
  static async open(url: string, options: FleetClientOptions = {}): Promise<FleetClient> {
    const link = await RedisLink.open(parseQueueAddress(url), options.logger ?? silentLogger);
    const { Queue } = await import('bullmq');
    const newQueue = (name: string): Queue => {
      const queue = new Queue(name, { connection: link.redis, ...QUEUE_OPTIONS });
      // The link tells of what happens to its connection.
      queue.on('error', () => {});
      return queue;
    };
    return new FleetClient(link, newQueue, options);
  }

  /** How many workers ask this model at the moment. */
  async workers(provider: string, model: string): Promise<number> {
    return (await this.#queueOf(provider, model).getWorkers()).length;
  }

  /**
   * Sends a request and resolves with what came of it; when the signal aborts it is taken back, unless it is asked.
   * @throws CAP_QUEUE_UNAVAILABLE, CAP_PROVIDER_REJECTED when it is too large, or the signal's reason
   */
  async send(request: FleetJob['request'], errand: Errand, signal: AbortSignal | undefined): Promise<FleetReply> {
    const { provider, model, stream, frameNumber, detail } = errand;
    await this.#link.ready();
    const queuedAt = await this.#store.now();
    signal?.throwIfAborted();
    const data: FleetJob = {
      version: 1,
      stream,
      ...(detail === undefined ? {} : { detail }),
      ...(frameNumber === undefined ? {} : { frameNumber }),
      queuedAt,
      leaveBy: queuedAt + errand.leaveWithinMs,
      answerBy: queuedAt + errand.answerWithinMs,
      request,
    };
    checkSize(request);
    return this.#await(this.#queueOf(provider, model), data, errand.leaveWithinMs, signal);
  }

  readonly close = once(async () => {
    this.#closed = true;
    // Nobody waits for these any more: they are not to be asked. Redis may be away.
    const late = new AbortController();
    const tooLong = sleep(TAKING_BACK_MS, undefined, { signal: late.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#takingBack), tooLong]);
    late.abort();
    // Ends the reading, too; what ioredis was to send again when Redis is away is never settled, so nobody waits for it.
    this.#reader.disconnect();
    for (const queue of this.#queues.values()) await queue.close();
    await this.#link.close();
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #queueOf(provider: string, model: string): Queue {
    const name = queueName(provider, model);
    const queue = this.#queues.get(name) ?? this.#newQueue(name);
    this.#queues.set(name, queue);
    return queue;
  }

  async #await(
    queue: Queue,
    data: FleetJob,
    leaveWithinMs: number,
    signal: AbortSignal | undefined,
  ): Promise<FleetReply> {
    const id = jobId(this.#watch, ++this.#count);
    let abort = (): void => {};
    const leaveTimer = setTimeout(() => this.#guard(() => this.#takeBackLate(id, queue)), leaveWithinMs);
    try {
      return await new Promise<FleetReply>((resolve, reject) => {
        this.#pending.set(id, { queue, data, settle: resolve });
        abort = () => reject(signal?.reason);
        signal?.addEventListener('abort', abort);
        this.#add(id, queue, data).catch((error) => reject(this.#link.unavailable(error)));
      });
    } catch (error) {
      const taking = queue.remove(id).catch(() => 0);
      this.#takingBack.add(taking);
      void taking.then(() => this.#takingBack.delete(taking));
      throw error;
    } finally {
      clearTimeout(leaveTimer);
      signal?.removeEventListener('abort', abort);
      this.#pending.delete(id);
    }
  }

  /** Does nothing when it is there already. */
  async #add(id: string, queue: Queue, data: FleetJob): Promise<void> {
    await queue.add('ask', data, { jobId: id, removeOnComplete: true, removeOnFail: true });
    while ((await queue.getWaitingCount()) > this.#maxWaiting) {
      const [oldest] = await queue.getRanges(['wait'], 0, 0, true);
      if (oldest === undefined || (await queue.remove(oldest)) === 0) return;
      this.#logger.debug('the queue is full: the oldest request goes', { watch: watchOf(oldest) });
      await this.#store.reply(oldest, { kind: 'superseded' }, data);
    }
  }

  /** Unless somebody has begun to ask it: what came of that is for the workers to say. */
  async #takeBackLate(id: string, queue: Queue): Promise<void> {
    if ((await this.#store.attempts(id)) > 0 || (await queue.remove(id)) === 0) return;
    if ((await this.#store.replyTo(id)) === undefined) this.#pending.get(id)?.settle({ kind: 'stale' });
  }

  /** A server that keeps its data on disk may forget the last moment before it dies. */
  async #recover(): Promise<void> {
    for (const [id, { queue, data }] of this.#pending) {
      if (!(await this.#deliver(id))) await this.#add(id, queue, data);
    }
  }

  async #deliver(id: string): Promise<boolean> {
    const pending = this.#pending.get(id);
    if (!pending) return true;
    const reply = await this.#store.replyTo(id);
    if (reply) pending.settle(reply);
    return reply !== undefined;
  }

  async #read(): Promise<void> {
    const key = toldKey(this.#watch);
    let last = '0-0';
    while (!this.#closed) {
      try {
        const read = await this.#reader.xread('COUNT', 100, 'BLOCK', READ_BLOCK_MS, 'STREAMS', key, last);
        for (const [entry, [, job = '']] of read?.[0]?.[1] ?? []) {
          last = entry;
          await this.#deliver(job);
        }
      } catch (error) {
        if (this.#closed) return;
        this.#logger.debug('reading replies failed', { error: toCapError(error).message });
        await sleep(READ_RETRY_MS);
      }
    }
  }

  /** What fails as the server is away is done again when it is back, or by whoever gives up first. */
  #guard(action: () => Promise<unknown>): void {
    action().catch((error) => this.#logger.debug('the queue failed', { error: toCapError(error).message }));
  }
}

function checkSize({ images, ...rest }: FleetJob['request']): void {
  const bytes = images.reduce((sum, { data }) => sum + data.length, Buffer.byteLength(JSON.stringify(rest)));
  if (bytes <= MAX_JOB_BYTES) return;
  const mb = (size: number): string => `${(size / 1e6).toFixed(1)} MB`;
  throw new CapError('CAP_PROVIDER_REJECTED', `a request of ${mb(bytes)} does not fit into the queue`, {
    hint: `${mb(MAX_JOB_BYTES)} are the most: choose a coarser preset`,
  });
}
