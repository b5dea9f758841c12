import sharp from 'sharp';
import {
  type Adaptor,
  type EncodedImage,
  fitFrame,
  type LedgerEntry,
  readLedger,
  readLedgerImage,
} from '../consumer/index.js';
import { costUsd, priceOf } from '../consumer/prices.js';
import {
  type CapError,
  type ErrorCode,
  type Frame,
  type Logger,
  monotonicNowNs,
  toCapError,
  wallNowUs,
} from '../core/index.js';
import { loadPreset, presetPlan } from '../producer/index.js';
import { type ModelOptions, openModel } from './watch-session.js';

/** What of a ledger is asked again, and how. */
export interface ReplayOptions {
  /** Divides the pixels of each picture as it was sent; never scales up. @default what the model takes */
  readonly preset?: string | undefined;
  /** Only the newest so many. @default all */
  readonly last?: number | undefined;
  /** Who is asked now. @default the local reader */
  readonly model?: ModelOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly logger?: Logger | undefined;
}

/** One side of a comparison. */
export interface ReplayedAnswer {
  readonly provider: string;
  readonly model: string;
  /** `960x540`, of each image. */
  readonly images: readonly string[];
  /** Of the images, by the model's formula. */
  readonly imageTokens: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costUsd?: number;
  readonly latencyMs: number;
  readonly text?: string;
  readonly error?: string;
}

/** A request of the ledger, as it was answered then and is now. */
export interface Replayed {
  /** When it was first asked. */
  readonly at: string;
  readonly prompt: string;
  readonly recorded: ReplayedAnswer;
  readonly replayed: ReplayedAnswer;
  /** Share of the words that both answers have, from 0 to 1; undefined where one is missing. */
  readonly alike?: number;
}

/** What another request would not change. */
const LASTING: readonly ErrorCode[] = ['CAP_PROVIDER_AUTH', 'CAP_DEPENDENCY_MISSING', 'CAP_CLOSED', 'CAP_USAGE'];

/**
 * Asks a model again what a ledger's was asked, about the same pictures, one after the other.
 * @throws CAP_USAGE for a folder without a ledger, and what no other request would change
 */
export async function* replay(folder: string, options: ReplayOptions = {}): AsyncGenerator<Replayed> {
  const { last, signal, logger, preset } = options;
  if (preset !== undefined) loadPreset(preset);
  const { entries, broken } = await readLedger(folder);
  if (broken > 0) logger?.warn(`${broken} lines of the ledger cannot be read`);
  const adaptor = await openModel(options.model, logger);
  try {
    for (const entry of last === undefined ? entries : entries.slice(-last)) {
      if (signal?.aborted) return;
      const recorded = recordedAnswer(entry);
      const replayed = await askAgain(folder, entry, adaptor, options);
      if (signal?.aborted) return;
      const alike =
        recorded.text === undefined || replayed.text === undefined
          ? undefined
          : shareOfWords(recorded.text, replayed.text);
      yield {
        at: entry.at,
        prompt: entry.request.prompt,
        recorded,
        replayed,
        ...(alike === undefined ? {} : { alike }),
      };
    }
  } finally {
    await adaptor.close();
  }
}

function recordedAnswer({
  provider,
  model,
  request,
  imageTokens,
  latencyMs,
  answer,
  error,
  receipt,
}: LedgerEntry): ReplayedAnswer {
  return {
    provider,
    model: answer?.model ?? model,
    images: request.images.map(sizeOf),
    imageTokens,
    ...billed(model, answer?.usage),
    ...(receipt?.costUsd === undefined ? {} : { costUsd: receipt.costUsd }),
    latencyMs,
    ...(answer ? { text: answer.text } : {}),
    ...(error ? { error: error.message } : {}),
  };
}

async function askAgain(
  folder: string,
  { request }: LedgerEntry,
  adaptor: Adaptor,
  { preset, signal }: ReplayOptions,
): Promise<ReplayedAnswer> {
  const sent = await Promise.all(request.images.map((image) => readLedgerImage(folder, image)));
  const fitted = await Promise.all(sent.map((image) => refit(image, sent.length, adaptor, preset)));
  const images = fitted.slice(0, adaptor.limits.maxImages);
  const leftMs = performance.now();
  const common = {
    provider: adaptor.provider,
    images: images.map(sizeOf),
    imageTokens: images.reduce((sum, image) => sum + adaptor.imageCost(image).tokens, 0),
  };
  const { images: _, ...asked } = request;
  try {
    const answer = await adaptor.ask({ ...asked, images, ...(signal ? { signal } : {}) } as Parameters<
      Adaptor['ask']
    >[0]);
    const latencyMs = Math.round(performance.now() - leftMs);
    return { ...common, model: answer.model, ...billed(adaptor.model, answer.usage), latencyMs, text: answer.text };
  } catch (error) {
    const known: CapError = toCapError(error);
    if (!signal?.aborted && LASTING.includes(known.code)) throw known;
    const latencyMs = Math.round(performance.now() - leftMs);
    return { ...common, model: adaptor.model, latencyMs, error: known.message };
  }
}

/** A picture as it was sent, made to fit another model. */
async function refit(image: EncodedImage, count: number, adaptor: Adaptor, preset?: string): Promise<EncodedImage> {
  const { data, info } = await sharp(image.data).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const frame: Frame = {
    data,
    width: info.width,
    height: info.height,
    receivedMonotonicNs: monotonicNowNs(),
    receivedWallUs: wallNowUs(),
    sequence: 0,
  };
  const { limits } = adaptor;
  const scaled = preset === undefined ? undefined : presetPlan(frame, loadPreset(preset)).canvas;
  const edgePx = scaled ? Math.max(scaled.width, scaled.height) : limits.maxEdgePx;
  const { images } = await fitFrame(frame, {
    limits: {
      ...limits,
      maxEdgePx: Math.min(edgePx, limits.maxEdgePx),
      maxRequestBytes: Math.floor(limits.maxRequestBytes / count),
    },
    imageCost: (size) => adaptor.imageCost(size),
  });
  const [fitted] = images;
  return fitted ?? image;
}

const sizeOf = ({ width, height }: { readonly width: number; readonly height: number }): string => `${width}x${height}`;

type Usage = NonNullable<LedgerEntry['answer']>['usage'];

/** Dollars only where the price of the model is known. */
function billed(model: string, usage: Usage): Pick<ReplayedAnswer, 'inputTokens' | 'outputTokens' | 'costUsd'> {
  if (!usage) return {};
  const { inputTokens, outputTokens, cachedTokens = 0 } = usage;
  const price = priceOf(model);
  const cost = price && costUsd({ inputTokens, cachedTokens, outputTokens }, price);
  return { inputTokens, outputTokens, ...(cost === undefined ? {} : { costUsd: cost }) };
}

/** Dice's coefficient of the words, without their case and punctuation. */
function shareOfWords(one: string, other: string): number {
  const words = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const left = new Map<string, number>();
  const [first, second] = [words(one), words(other)];
  for (const word of first) left.set(word, (left.get(word) ?? 0) + 1);
  let both = 0;
  for (const word of second) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    both += 1;
    left.set(word, count - 1);
  }
  const all = first.length + second.length;
  return all === 0 ? 1 : (2 * both) / all;
}
