import type { ChildProcess } from 'node:child_process';
import { type BirpcReturn, createBirpc } from 'birpc';
import { CapError, type ErrorCode, toCapError } from '../core/index.js';

/** Functions of the other process, each of which gives a promise. */
export type Remote<Calls extends object> = BirpcReturn<Calls, object>;

/** Longer than the longest wait inside a call. */
const CALL_TIMEOUT_MS = 30_000;

interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Calls between the two ends of a child process's channel. `close` rejects what is still unanswered. */
export function openChannel<Calls extends object>(
  end: ChildProcess | NodeJS.Process,
  functions: object,
): Remote<Calls> {
  return createBirpc<Calls, object>(functions, {
    post: (data) => {
      // A process that has ended takes no message; that it did is told by other means.
      if (end.connected) end.send?.(data, undefined, undefined, () => {});
    },
    on: (listener) => void end.on('message', listener),
    off: (listener) => void end.off('message', listener),
    serialize: (data) => mapError(data, pack),
    deserialize: (data) => mapError(data, unpack),
    timeout: CALL_TIMEOUT_MS,
  });
}

/** An answer of birpc has its error at `e`. */
function mapError(data: { e?: unknown }, map: (error: never) => unknown): unknown {
  return data.e === undefined ? data : { ...data, e: map(data.e as never) };
}

/** Of an error, nothing but this crosses to another process. */
function pack(error: unknown): SentError {
  const { code, message, hint } = toCapError(error);
  return { code, message, hint };
}

function unpack({ code, message, hint }: SentError): CapError {
  return new CapError(code, message, hint === undefined ? {} : { hint });
}
