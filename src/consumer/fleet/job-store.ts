import type { Redis } from 'ioredis';
import { type FleetReply, fleetReply, KEY_PREFIX } from './fleet-job.js';
import { ANSWER, BEGIN } from './scripts.js';

/** Whether a request may be sent to its provider now. */
export interface Begun {
  /** `answered`: there is a reply already; `late`: its time is over. */
  readonly state: 'begun' | 'answered' | 'late';
  /** How often it was begun, this time included if it is. */
  readonly attempts: number;
  /** By the clock of the server. */
  readonly nowMs: number;
}

/** A reply is kept for so long after its request could last be asked again. */
const KEPT_MS = 60_000;

const UNREADABLE: FleetReply = {
  kind: 'failed',
  error: {
    code: 'CAP_QUEUE_UNAVAILABLE',
    message: 'what a worker replied cannot be read',
    hint: 'run one version of cap everywhere',
  },
  attempts: 1,
};

/** What the queue knows of its requests beside the requests themselves: who began them, and what came of them. */
export class JobStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Milliseconds by the clock of the server. */
  async now(): Promise<number> {
    const [seconds, microseconds] = (await this.#redis.time()).map(Number) as [number, number];
    return seconds * 1000 + Math.floor(microseconds / 1000);
  }

  /** Writes down that a request leaves, before it does: what `attempt` names is counted once. */
  async begin(job: string, attempt: string, who: string, times: Times): Promise<Begun> {
    const answer = (await this.#redis.eval(
      BEGIN,
      2,
      keyOf('answer', job),
      keyOf('attempts', job),
      attempt,
      who,
      times.leaveBy,
      keptMs(times),
    )) as [Begun['state'], number, number];
    return { state: answer[0], attempts: answer[1], nowMs: answer[2] };
  }

  /** Keeps what came of a request and tells its watch, in one step. False when something came of it before. */
  async reply(job: string, reply: FleetReply, times: Times): Promise<boolean> {
    const keys = [keyOf('answer', job), toldKey(watchOf(job))];
    return (await this.#redis.eval(ANSWER, 2, ...keys, JSON.stringify(reply), keptMs(times), job)) === 1;
  }

  /** How often a worker has begun a request. */
  attempts(job: string): Promise<number> {
    return this.#redis.hlen(keyOf('attempts', job));
  }

  /** What came of a request; undefined while nothing has. */
  async replyTo(job: string): Promise<FleetReply | undefined> {
    const text = await this.#redis.get(keyOf('answer', job));
    if (text === null) return undefined;
    const reply = fleetReply.safeParse(JSON.parse(text));
    return reply.success ? reply.data : UNREADABLE;
  }
}

type Times = { readonly queuedAt: number; readonly leaveBy: number; readonly answerBy: number };

const keptMs = ({ queuedAt, leaveBy, answerBy }: Times): number => Math.max(leaveBy, answerBy) - queuedAt + KEPT_MS;

const keyOf = (kind: string, job: string): string => `${KEY_PREFIX}:${kind}:${job}`;

/** The stream in which a watch is told which of its requests have a reply. */
export const toldKey = (watch: string): string => keyOf('told', watch);

/** Names a request by the watch that waits for it. */
export const jobId = (watch: string, count: number): string => `${watch}_${count}`;

export const watchOf = (job: string): string => job.slice(0, job.lastIndexOf('_'));
