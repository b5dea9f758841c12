/**
 * Every error code with the process exit code it ends a command with.
 * A test holds this table against docs/errors.md.
 */
export const ERROR_CODES = {
  /** A defect of ours. */
  CAP_INTERNAL: 1,
  /** A wrong option, argument or value. */
  CAP_USAGE: 2,
  /** The native addon or a GStreamer plugin is not installed, or no sound server runs. */
  CAP_DEPENDENCY_MISSING: 3,
  /** There is no display, or it cannot be opened. */
  CAP_DISPLAY_UNAVAILABLE: 4,
  /** No such window, monitor, region, sound device or application that plays. */
  CAP_SOURCE_NOT_FOUND: 5,
  /** The source ended while it was captured: window closed, X server gone, camera lost. */
  CAP_SOURCE_LOST: 6,
  /** The port is already in use, or may not be bound. */
  CAP_PORT_UNAVAILABLE: 7,
  /** A GStreamer pipeline failed. */
  CAP_PIPELINE_FAILED: 8,
  /** The recording or the ledger cannot be written: no permission, no space, no folder. */
  CAP_OUTPUT_FAILED: 9,
  /** The stream cannot be reached or does not play. */
  CAP_STREAM_UNAVAILABLE: 10,
  /** No API key, or the provider refuses it. */
  CAP_PROVIDER_AUTH: 11,
  /** The provider refuses the request: unknown model, image or prompt not accepted. */
  CAP_PROVIDER_REJECTED: 12,
  /** The provider is over its rate limit, overloaded or unreachable; a later try may work. */
  CAP_PROVIDER_UNAVAILABLE: 13,
  /** The object was closed before the call. */
  CAP_CLOSED: 14,
  /** A stream's server refuses the user, the password or the path. */
  CAP_AUTH_FAILED: 15,
  /** The certificate of a stream's server is not trusted. */
  CAP_TLS_UNTRUSTED: 16,
  /** A stream has no picture that is new enough, or none of the time that was asked for. */
  CAP_FRAME_UNAVAILABLE: 17,
  /** The user did not let the screen be shared, or did not answer the desktop's dialog. */
  CAP_SHARING_REFUSED: 18,
  /** What a model answered is not the JSON that was asked for, also at a second try. */
  CAP_ANSWER_INVALID: 19,
  /** What may be spent on models has been. */
  CAP_BUDGET_EXHAUSTED: 20,
  /** The Redis server of a queue cannot be reached, refuses the login or is too old. */
  CAP_QUEUE_UNAVAILABLE: 21,
} as const;

/** What tells errors apart; docs/errors.md says when each comes. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error says beside its code and message. */
export interface CapErrorOptions {
  /** One sentence: what to do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Milliseconds after which a retry may succeed, when the other side said so. */
  readonly retryAfterMs?: number;
}

/** The one error type of this project; tell errors apart by `code`. */
export class CapError extends Error {
  override readonly name = 'CapError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: CapErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code];
  }
}

/** Turns whatever was thrown into a CapError; unknown errors become CAP_INTERNAL. */
export function toCapError(error: unknown): CapError {
  if (error instanceof CapError) return error;
  // `await using` wraps what was thrown when closing throws as well; the first error is what went wrong.
  if (error instanceof Error && 'suppressed' in error) return toCapError(error.suppressed);
  const message = error instanceof Error ? error.message : String(error);
  return new CapError('CAP_INTERNAL', message, { cause: error });
}

/** The error of every call on a closed object. */
export function closedError(what: string): CapError {
  return new CapError('CAP_CLOSED', `${what} is closed`);
}
