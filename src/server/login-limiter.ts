import { isIPv6 } from 'node:net';

/** The same as for RTSP: see native/login_limiter.cc. */
const MOST_FAILURES = 5;
const PAUSE_MS = 30_000;
const MOST_ADDRESSES = 1024;

interface Entry {
  readonly failures: number;
  readonly lastMs: number;
  readonly lastGuess: string;
}

/** Addresses that try wrong passwords, and those that may not try for a while. */
export class LoginLimiter {
  /** Whoever failed longest ago comes first. */
  readonly #entries = new Map<string, Entry>();

  /** Seconds that `address` must wait, 0 for none. */
  waitSeconds(address: string, nowMs = performance.now()): number {
    const { failures, lastMs } = this.#entries.get(networkOf(address)) ?? { failures: 0, lastMs: 0 };
    if (failures < MOST_FAILURES) return 0;
    return Math.max(0, Math.ceil((lastMs + PAUSE_MS - nowMs) / 1000));
  }

  /** Whether it counts: a page that asks each second with the same wrong password has guessed once. */
  failed(address: string, guess: string, nowMs = performance.now()): boolean {
    const network = networkOf(address);
    const before = this.#entries.get(network);
    if (before?.lastGuess === guess) return false;
    const recent = before !== undefined && nowMs - before.lastMs <= PAUSE_MS;
    this.#entries.delete(network);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= MOST_ADDRESSES) this.#entries.delete(oldest);
    this.#entries.set(network, { failures: recent ? before.failures + 1 : 1, lastMs: nowMs, lastGuess: guess });
    return true;
  }
}

/** Who has one IPv6 address has the 2^64 of its network. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - (before?.length ?? 0) - (after?.length ?? 0) }, () => '0');
  return [...(before ?? []), ...zeros].slice(0, 4).join(':');
}
