import { expectInteger } from '../core/index.js';

/** Longest time between two frames of a source that gives one when something changes. @throws CAP_USAGE */
export function keepAlive({ keepAliveMs = 1000 }: { readonly keepAliveMs?: number | undefined }): number {
  return expectInteger('keepAliveMs', keepAliveMs, 10, 3_600_000);
}
