import { ApiError } from '@google/genai';
import { CapError } from '../../core/index.js';
import { cutOff } from './cloud.js';

interface Detail {
  readonly reason?: string;
  /** Such as `34s`. */
  readonly retryDelay?: string;
  readonly violations?: readonly { readonly quotaId?: string }[];
}

/** What the SDK says of an answer whose last event is not whole. */
const BROKEN_STREAM = /^Incomplete JSON segment|^exception parsing stream chunk/;

/** It keeps the first line of what fetch said, and not the reason. */
const NOT_SENT = /^exception .* sending request$/;

/**
 * Google's SDK puts the whole body of an error into its message, and the time to wait stands in that body.
 * Brings both into the form that provider-error.ts reads.
 */
export function geminiError(error: unknown): unknown {
  if (error instanceof ApiError) return readable(error);
  if (!(error instanceof Error)) return error;
  if (BROKEN_STREAM.test(error.message)) return cutOff('gemini');
  if (NOT_SENT.test(error.message)) {
    return new CapError('CAP_PROVIDER_UNAVAILABLE', 'gemini: the connection failed', {
      hint: 'check the network and the base URL',
      cause: error,
    });
  }
  return error;
}

function readable(error: ApiError): Error {
  const body = /\{.*\}/s.exec(error.message)?.[0] ?? '{}';
  const { message = error.message, details = [] } = errorIn(body);
  const isWrongKey = details.some(({ reason }) => reason === 'API_KEY_INVALID');
  const isDayUsedUp = details.some(({ violations = [] }) =>
    violations.some(({ quotaId }) => quotaId?.includes('PerDay')),
  );
  const waitSeconds = Number.parseFloat(details.find(({ retryDelay }) => retryDelay)?.retryDelay ?? '');
  const status = isWrongKey ? 401 : isDayUsedUp ? 402 : error.status;
  return Object.assign(new Error(`${error.status} ${message}`, { cause: error }), {
    status,
    ...(waitSeconds > 0 ? { retryAfterMs: waitSeconds * 1000 } : {}),
  });
}

function errorIn(body: string): { message?: string; details?: readonly Detail[] } {
  try {
    const parsed = JSON.parse(body) as { error?: { message?: string; details?: Detail[] } };
    return parsed.error ?? {};
  } catch {
    return {};
  }
}
