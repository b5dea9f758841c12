import { CapError, redact, toCapError } from '../../core/index.js';

/** What the official SDKs' errors have in common; told by shape, so that no SDK is loaded for it. */
interface SdkError extends Error {
  readonly status?: number;
  readonly headers?: Headers;
  /** The error's own type, such as `overloaded_error`, or OpenAI's `code`. */
  readonly type?: string | null;
  readonly code?: string | null;
  /** Where an adaptor has read the wait out of the body. */
  readonly retryAfterMs?: number;
}

/** Types of errors that arrive in the middle of a stream, without a status, and pass by themselves. */
const PASSING = /overloaded|rate_limit|timeout|api_error|server_error|internal/i;
/** What fetch and the SDKs call a connection that was refused, cut or too slow. */
const CONNECTION = /^(APIConnection|terminated|fetch failed|premature close|other side closed)|ECONN|EPIPE|socket/i;

/** Turns whatever an SDK threw into the one of our codes that tells the caller what to do next. */
export function providerError(error: unknown, provider: string, keyVariable: string): CapError {
  if (error instanceof CapError || !(error instanceof Error)) return toCapError(error);
  const sdkError = error as SdkError;
  const message = `${provider}: ${redact(error.message)}`;
  const cause = { cause: plainCause(sdkError) };
  if (sdkError.status === undefined) return withoutStatus(sdkError, message, provider);
  if (sdkError.status === 401 || sdkError.status === 403) {
    return new CapError('CAP_PROVIDER_AUTH', message, {
      ...cause,
      hint: `check the key in ${keyVariable} and what it may use`,
    });
  }
  if (sdkError.code === 'insufficient_quota' || sdkError.status === 402) {
    return new CapError('CAP_PROVIDER_REJECTED', message, { ...cause, hint: 'the account has no credit left' });
  }
  if (sdkError.status === 408 || sdkError.status === 409 || sdkError.status === 429 || sdkError.status >= 500) {
    const retryAfterMs = sdkError.retryAfterMs ?? retryAfter(sdkError.headers);
    return new CapError('CAP_PROVIDER_UNAVAILABLE', message, {
      ...cause,
      hint: 'try again later',
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  return new CapError('CAP_PROVIDER_REJECTED', message, { ...cause, hint: 'check the model name and the request' });
}

function withoutStatus(error: SdkError, message: string, provider: string): CapError {
  const cause = { cause: plainCause(error) };
  if (CONNECTION.test(error.constructor.name) || CONNECTION.test(error.message)) {
    return new CapError('CAP_PROVIDER_UNAVAILABLE', `${provider}: the connection failed: ${rootMessage(error)}`, {
      ...cause,
      hint: 'check the network and the base URL',
    });
  }
  const passing = new CapError('CAP_PROVIDER_UNAVAILABLE', message, { ...cause, hint: 'try again later' });
  if (PASSING.test(`${error.type ?? ''} ${error.code ?? ''}`)) return passing;
  if (error.constructor.name === 'APIError') return new CapError('CAP_PROVIDER_REJECTED', message, cause);
  // The SDKs' base classes: an answer that ended early or could not be read.
  if (/^(OpenAI|Anthropic)Error$/.test(error.constructor.name)) return passing;
  return toCapError(cause.cause);
}

/** What an SDK threw, without what else it keeps: headers and bodies may hold the key, and whoever prints an error prints its causes. */
function plainCause(error: SdkError): Error {
  const plain = new Error(redact(error.message));
  plain.name = error.constructor.name;
  plain.stack = redact(error.stack ?? plain.message);
  return error.status === undefined ? plain : Object.assign(plain, { status: error.status });
}

function rootMessage(error: Error): string {
  let root: Error = error;
  while (root.cause instanceof Error) root = root.cause;
  return redact(root.message);
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date; undefined when absent or in the past. */
function retryAfter(headers: Headers | undefined): number | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (milliseconds > 0) return milliseconds;
  const text = headers?.get('retry-after');
  if (!text) return undefined;
  const seconds = Number(text);
  const wait = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
  return wait > 0 ? wait : undefined;
}
