import {
  type Adaptor,
  type EncodedImage,
  fitFrame,
  type LedgerEntry,
  profitsFromDeltas,
  readLedger,
  readLedgerImage,
  withoutCaption,
} from '../consumer/index.js';
import { costUsd, priceOf } from '../consumer/prices.js';
import {
  CapError,
  type ErrorCode,
  type Frame,
  type Logger,
  monotonicNowNs,
  toCapError,
  wallNowUs,
} from '../core/index.js';
import { loadPreset, presetPlan } from '../producer/index.js';
import { type ModelOptions, openModel } from './watch-session.js';
import { decode, type Pixels, WholePictures } from './whole-pictures.js';

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
 * Asks a model again what a ledger's was asked, about the same pictures, one after the other. Of requests that had
 * parts of a picture, one that takes none is shown the whole, put together from the requests before.
 * @throws CAP_USAGE for a folder without a ledger, and what no other request would change
 */
export async function* replay(folder: string, options: ReplayOptions = {}): AsyncGenerator<Replayed> {
  const { last, signal, logger, preset } = options;
  if (preset !== undefined) loadPreset(preset);
  const { entries, broken } = await readLedger(folder);
  if (broken > 0) logger?.warn(`${broken} lines of the ledger cannot be read`);
  const adaptor = await openModel(options.model, logger);
  const wholes = new WholePictures();
  const skipped = last === undefined ? 0 : Math.max(0, entries.length - last);
  const from = entries.findLastIndex(({ request }, index) => index <= skipped && request.delta === undefined);
  try {
    for (const [index, entry] of entries.entries()) {
      if (index < from) continue;
      if (signal?.aborted) return;
      const sent = await Promise.all(entry.request.images.map((image) => readLedgerImage(folder, image)));
      const whole = await wholes.wholeOf(entry, sent);
      if (index < skipped) continue;
      const recorded = recordedAnswer(entry);
      const replayed = await askAgain(entry, sent, whole, adaptor, options);
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
  { request }: LedgerEntry,
  sent: readonly EncodedImage[],
  whole: Pixels | undefined,
  adaptor: Adaptor,
  { preset, signal }: ReplayOptions,
): Promise<ReplayedAnswer> {
  const { images: _, delta, ...asked } = request;
  const rebuilt = delta && (!profitsFromDeltas(adaptor) || adaptor.limits.maxImages < sent.length);
  const pictures = rebuilt ? (whole ? [whole] : []) : await Promise.all(sent.map(decode));
  const fitted = await Promise.all(pictures.map((picture) => refit(picture, pictures.length, adaptor, preset)));
  const images = fitted.slice(0, adaptor.limits.maxImages);
  const leftMs = performance.now();
  const common = {
    provider: adaptor.provider,
    images: images.map(sizeOf),
    imageTokens: images.reduce((sum, image) => sum + adaptor.imageCost(image).tokens, 0),
  };
  if (rebuilt && !whole) {
    return { ...common, model: adaptor.model, latencyMs: 0, error: 'the ledger lacks the whole picture before it' };
  }
  // What was said about the parts before is for whoever is shown the parts.
  const { history, ...alone } = asked;
  const question = rebuilt
    ? { ...alone, prompt: withoutCaption(asked.prompt, delta) }
    : { ...asked, ...(delta ? { delta } : {}) };
  try {
    const answer = await adaptor.ask({ ...question, images, ...(signal ? { signal } : {}) } as Parameters<
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
async function refit(picture: Pixels, count: number, adaptor: Adaptor, preset?: string): Promise<EncodedImage> {
  const frame: Frame = {
    ...picture,
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
  if (!fitted) throw new CapError('CAP_INTERNAL', 'a picture was fitted to nothing');
  return fitted;
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
