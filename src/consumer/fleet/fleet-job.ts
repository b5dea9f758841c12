import { z } from 'zod';
import { CapError, ERROR_CODES, type ErrorCode, redact, toCapError } from '../../core/index.js';
import type { AdaptorAnswer, AdaptorRequest } from '../adaptor.js';
import { NOT_BILLED } from '../budget/billed-request.js';
import { IMAGE_DETAILS } from '../tokens/formula.js';

const usage = z.object({
  inputTokens: z.number(),
  cachedTokens: z.number().optional(),
  outputTokens: z.number(),
});
const rect = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });
const image = z.object({
  /** In base64. */
  data: z.string(),
  mediaType: z.enum(['image/png', 'image/jpeg', 'image/webp']),
  width: z.int().positive(),
  height: z.int().positive(),
});

/** A request on its way to whichever worker is free. Keys of providers are never in it. */
export const fleetJob = z.object({
  version: z.literal(1),
  detail: z.enum(IMAGE_DETAILS).optional(),
  /** Which stream shows the frame, without its login. */
  stream: z.string(),
  frameNumber: z.number().optional(),
  /** By the clock of the Redis server, in milliseconds: when it was sent, until when it may leave, and be answered. */
  queuedAt: z.number(),
  leaveBy: z.number(),
  answerBy: z.number(),
  request: z.object({
    prompt: z.string(),
    system: z.string().optional(),
    history: z.array(z.object({ prompt: z.string(), answer: z.string() })).optional(),
    schema: z.record(z.string(), z.unknown()).optional(),
    maxOutputTokens: z.int().positive().optional(),
    images: z.array(image),
  }),
});

/** A request on its way to whichever worker is free. */
export type FleetJob = z.infer<typeof fleetJob>;

const attempts = z.int().positive();

/** What came of a request. */
export const fleetReply = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('answered'),
    answer: z.object({
      text: z.string(),
      model: z.string(),
      usage: usage.optional(),
      data: z.unknown().optional(),
      lines: z.array(z.object({ text: z.string(), box: rect, confidence: z.number().optional() })).optional(),
    }),
    attempts,
    queuedMs: z.number(),
  }),
  z.object({
    kind: z.literal('failed'),
    error: z.object({
      code: z.string(),
      message: z.string(),
      hint: z.string().optional(),
      retryAfterMs: z.number().optional(),
    }),
    /** What it cost all the same; undefined when nobody can know. */
    billed: usage.optional(),
    attempts,
  }),
  /** Its time was over before a worker was free. */
  z.object({ kind: z.literal('stale') }),
  /** The queue was full, and newer frames wait in it. */
  z.object({ kind: z.literal('superseded') }),
]);

/** What came of a request. */
export type FleetReply = z.infer<typeof fleetReply>;

/** One queue for each model of a provider: a worker gets nothing that it cannot ask. BullMQ forbids colons. */
export const queueName = (provider: string, model: string): string =>
  `${provider}/${model}`.replaceAll('%', '%25').replaceAll(':', '%3A');

/** BullMQ's own keys begin so, too. */
export const KEY_PREFIX = 'cap';

/** What BullMQ is told on both sides: it keeps events of its own, which nobody here reads. */
export const QUEUE_OPTIONS = {
  prefix: KEY_PREFIX,
  skipVersionCheck: true,
  streams: { events: { maxLen: 100 } },
} as const;

export function packRequest(request: AdaptorRequest): FleetJob['request'] {
  const { prompt, system, history, schema, maxOutputTokens, images } = request;
  return {
    prompt,
    ...(system === undefined ? {} : { system }),
    ...(history === undefined ? {} : { history: [...history] }),
    ...(schema === undefined ? {} : { schema: { ...schema } }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    images: images.map(({ data, ...image }) => ({ ...image, data: data.toString('base64') })),
  };
}

export function unpackRequest({ images, ...request }: FleetJob['request']): AdaptorRequest {
  return {
    // JSON has no fields without a value.
    ...(request as Omit<AdaptorRequest, 'images'>),
    images: images.map(({ data, ...image }) => ({ ...image, data: Buffer.from(data, 'base64') })),
  };
}

export function packError(cause: unknown): Extract<FleetReply, { kind: 'failed' }>['error'] {
  const { code, message, hint, retryAfterMs } = toCapError(cause);
  return {
    code,
    message: redact(message),
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** @param isBilled whether the last request that was sent may be billed */
export function unpackError(error: ReturnType<typeof packError>, isBilled: boolean): CapError {
  const { code, message, hint, retryAfterMs } = error;
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'CAP_INTERNAL';
  return new CapError(known, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(isBilled ? {} : { cause: NOT_BILLED }),
  });
}

/** Without what a provider may have added. */
export function packAnswer({ text, model, usage, data, lines }: AdaptorAnswer) {
  return {
    text,
    model,
    ...(usage === undefined ? {} : { usage }),
    ...(data === undefined ? {} : { data }),
    ...(lines === undefined ? {} : { lines: [...lines] }),
  };
}
