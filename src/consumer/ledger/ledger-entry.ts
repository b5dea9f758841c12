import { z } from 'zod';

const size = { width: z.int().positive(), height: z.int().positive() };
const rect = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });
const usage = z.object({
  inputTokens: z.number(),
  cachedTokens: z.number().optional(),
  outputTokens: z.number(),
});

/** A picture in the folder `images`, by the SHA-256 of its bytes. */
const image = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  mediaType: z.enum(['image/png', 'image/jpeg', 'image/webp']),
  bytes: z.number(),
  ...size,
});

/** A line of a ledger: one request, and what came of it. What is unknown is left out; keys are never in it. */
export const ledgerEntry = z.object({
  version: z.literal(1),
  /** When the request left. */
  at: z.iso.datetime(),
  provider: z.string(),
  /** The one that was asked for. */
  model: z.string(),
  request: z.object({
    prompt: z.string(),
    system: z.string().optional(),
    history: z.array(z.object({ prompt: z.string(), answer: z.string() })).optional(),
    schema: z.record(z.string(), z.unknown()).optional(),
    maxOutputTokens: z.number().optional(),
    images: z.array(image),
    /** Which parts of the picture the images are, in pixels of the whole, which another request had. */
    delta: z.object({ whole: z.object(size), regions: z.array(rect), wholeTokens: z.number() }).optional(),
  }),
  /** Of the images, by the model's formula. */
  imageTokens: z.number(),
  latencyMs: z.number(),
  answer: z
    .object({
      text: z.string(),
      /** The model's own name. */
      model: z.string(),
      data: z.unknown().optional(),
      usage: usage.optional(),
      lines: z.array(z.object({ text: z.string(), box: rect, confidence: z.number().optional() })).optional(),
    })
    .optional(),
  /** Instead of an answer. */
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** Of the watch's own account: which frame it was, why it was sent, what it cost. */
  receipt: z
    .looseObject({
      frameNumber: z.number(),
      frameAgeMs: z.number().optional(),
      reason: z.string(),
      preset: z.string().optional(),
      costUsd: z.number().optional(),
    })
    .optional(),
});

/** One request of a ledger, and what came of it. */
export type LedgerEntry = z.infer<typeof ledgerEntry>;
/** A picture of a request, by its hash. */
export type LedgerImage = z.infer<typeof image>;

/** Where a picture lies in a ledger's folder. */
export const imagePath = ({ sha256, mediaType }: LedgerImage): string =>
  `images/${sha256}.${mediaType === 'image/jpeg' ? 'jpg' : mediaType.slice('image/'.length)}`;

/** The file of entries in a ledger's folder. */
export const ENTRIES = 'ledger.jsonl';
