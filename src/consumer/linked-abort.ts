/** A signal of its own that aborts with any of others, and lets go of them. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** To be called in the end: the others may live for days, a request's listeners must not. */
  release(): void;
}

/** What AbortSignal.any does, without its hold on long-lived signals in Node 20. */
export function linkAbort(...others: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = new AbortController();
  const links = others.flatMap((other) => {
    if (!other) return [];
    const forward = (): void => controller.abort(other.reason);
    if (other.aborted) forward();
    else other.addEventListener('abort', forward);
    return [() => other.removeEventListener('abort', forward)];
  });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => {
      for (const unlink of links) unlink();
    },
  };
}
