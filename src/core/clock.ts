import { readFileSync } from 'node:fs';

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** FNV-1a, 64 bits. Source: draft-eastlake-fnv. */
export function fnv1a64(bytes: Uint8Array): bigint {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  return hash;
}

let ownClockId: bigint | undefined;

/**
 * Names this machine's CLOCK_MONOTONIC since its boot: two processes that have the same id may compare
 * their monotonic times. FNV-1a 64 over the 36 ASCII characters of the kernel's boot id.
 */
export function clockId(): bigint {
  ownClockId ??= fnv1a64(readFileSync('/proc/sys/kernel/random/boot_id').subarray(0, 36));
  return ownClockId;
}

/** CLOCK_MONOTONIC in nanoseconds; it is what `process.hrtime` reads on Linux. */
export function monotonicNowNs(): bigint {
  return process.hrtime.bigint();
}

/** The wall clock in microseconds since 1970-01-01 UTC, to the millisecond. */
export function wallNowUs(): bigint {
  return BigInt(Date.now()) * 1000n;
}
