import type { Redis, RedisOptions } from 'ioredis';
import { CapError, type Closable, closedError, type Logger, once, redact, TypedEvents } from '../../core/index.js';
import type { QueueAddress } from './queue-address.js';

export type RedisLinkEvents = {
  /** The connection is there again after it was lost. */
  back: [];
};

/** What the scripts of the queue take, and BullMQ recommends. */
const LEAST_VERSION = [6, 2] as const;
const FIRST_CONNECTION_MS = 10_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5000;
/** A server that restarts is worth this wait. */
const PATIENCE_MS = 5000;

/**
 * A connection to the Redis server of a queue, which is made anew whenever it breaks. Commands that are under way
 * then are sent again: each can be, without doing more than once what it does.
 */
export class RedisLink extends TypedEvents<RedisLinkEvents> implements Closable {
  readonly redis: Redis;
  readonly #label: string;
  readonly #logger: Logger;
  #version = 'unknown';
  #failure: Error | undefined;
  #isOpen = false;
  #isLost = false;
  #closed = false;

  private constructor(redis: Redis, label: string, logger: Logger) {
    super();
    this.redis = redis;
    this.#label = label;
    this.#logger = logger;
    redis.on('error', (error: Error) => {
      this.#failure = error;
    });
    redis.on('close', () => this.#onClose());
    redis.on('ready', () => this.#onReady());
  }

  /** @throws CAP_QUEUE_UNAVAILABLE when the server cannot be reached, refuses the login or is too old */
  static async open(address: QueueAddress, logger: Logger): Promise<RedisLink> {
    // Loaded here: who uses no queue does not wait for it.
    const { Redis } = await import('ioredis');
    const link = new RedisLink(new Redis(optionsOf(address)), address.label, logger);
    try {
      await link.redis.connect();
      await link.#check();
      link.#isOpen = true;
      return link;
    } catch (error) {
      await link.close();
      throw link.unavailable(link.#failure ?? error);
    }
  }

  /** Of the server. */
  get version(): string {
    return this.#version;
  }

  /** Another connection to the same server, for commands that wait. It says nothing when it breaks: this one does. */
  duplicate(): Redis {
    const other = this.redis.duplicate({ lazyConnect: false });
    other.on('error', () => {});
    return other;
  }

  /** Resolves when commands can be sent. @throws CAP_QUEUE_UNAVAILABLE when that takes too long, CAP_CLOSED */
  async ready(): Promise<void> {
    if (this.#closed) throw closedError('the queue');
    if (this.redis.status === 'ready') return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.redis.off('ready', ready);
        reject(this.unavailable(this.#failure));
      }, PATIENCE_MS);
      const ready = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.redis.once('ready', ready);
    });
  }

  /** The error of a command that failed, or could not be sent. */
  unavailable(cause: unknown): CapError {
    if (cause instanceof CapError) return cause;
    const { message, code } = (cause ?? {}) as NodeJS.ErrnoException;
    const reason = redact(message || code || 'the connection is lost');
    const isLogin = /NOAUTH|WRONGPASS|NOPERM|invalid password/i.test(reason);
    return new CapError('CAP_QUEUE_UNAVAILABLE', `the queue at ${this.#label} is out of reach: ${reason}`, {
      cause,
      hint: isLogin ? 'put user and password into the address in CAP_QUEUE_URL' : 'check that Redis runs there',
    });
  }

  readonly close = once(async () => {
    this.#closed = true;
    this.redis.disconnect();
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #check(): Promise<void> {
    const info = await this.redis.info();
    this.#version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? this.#version;
    const [major = 0, minor = 0] = this.#version.split('.').map(Number);
    const [leastMajor, leastMinor] = LEAST_VERSION;
    if (!(major > leastMajor || (major === leastMajor && minor >= leastMinor))) {
      throw new CapError('CAP_QUEUE_UNAVAILABLE', `the Redis at ${this.#label} is of version ${this.#version}`, {
        hint: `a queue takes ${LEAST_VERSION.join('.')} or newer`,
      });
    }
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
    if (policy !== 'noeviction') {
      this.#logger.warn(`the Redis at ${this.#label} may drop requests: set its maxmemory-policy to noeviction`);
    }
  }

  /** One line an outage, however often a connection is tried. */
  #onClose(): void {
    if (!this.#isOpen || this.#isLost || this.#closed) return;
    this.#isLost = true;
    this.#logger.warn(`${this.unavailable(this.#failure).message}; trying again`);
  }

  #onReady(): void {
    this.#failure = undefined;
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#logger.info(`the queue at ${this.#label} is back`);
    this.emit('back');
  }
}

function optionsOf({ host, port, db, username, password, isTls }: QueueAddress): RedisOptions {
  return {
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: {} } : {}),
    lazyConnect: true,
    // Commands wait for a server that is away, however long: who sent them gives up by its own clock.
    maxRetriesPerRequest: null,
    connectTimeout: FIRST_CONNECTION_MS,
    retryStrategy: (times) => Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** times) * (1 - Math.random() / 4),
  };
}
