import type { Closable, Rect, Size } from '../core/index.js';
import type { DeltaRecord } from './deltas/delta-text.js';
import type { ImageLimits, MediaType } from './models.js';
import type { ImageCost } from './tokens/formula.js';

/** An image file in memory, with its size in pixels. */
export interface EncodedImage extends Size {
  readonly data: Buffer;
  readonly mediaType: MediaType;
}

/** An earlier question with its answer, as text: the picture that it was about is not shown again. */
export interface Exchange {
  readonly prompt: string;
  readonly answer: string;
}

/** A JSON Schema that an answer has to satisfy. */
export type AnswerSchema = Readonly<Record<string, unknown>>;

/** One question about one frame. */
export interface AdaptorRequest {
  readonly prompt: string;
  /** What the model is told about its task as a whole. */
  readonly system?: string;
  /** What was said before, oldest first. @default nothing */
  readonly history?: readonly Exchange[];
  /** The answer is to be JSON of this form, which is then its `data`. */
  readonly schema?: AnswerSchema;
  /** Already within the adaptor's `limits`; they reach the model in this order. */
  readonly images: readonly EncodedImage[];
  /** Which parts of the picture the images are, as the prompt says, too; undefined when they are the whole. */
  readonly delta?: DeltaRecord;
  readonly signal?: AbortSignal;
  /** Called with each piece of text as it arrives. */
  readonly onText?: (delta: string) => void;
  /** Called with what an answer cost that does not do, before it is asked for once more; undefined when unknown. */
  readonly onDiscarded?: (usage: TokenUsage | undefined) => void;
  /** Most tokens the answer may have. @default 2048 */
  readonly maxOutputTokens?: number;
  /** The producer's count of the frame that is shown. */
  readonly frameNumber?: number;
  /** It is not worth sending any more after so long, where it has to wait. @default no limit */
  readonly staleInMs?: number;
}

/** As the provider reports it. */
export interface TokenUsage {
  /** Everything that went in, cached or not. */
  readonly inputTokens: number;
  /** The part of `inputTokens` that the provider had kept from earlier requests, and bills at less. */
  readonly cachedTokens?: number;
  readonly outputTokens: number;
}

/** A line of text that was found in the picture. */
export interface TextLine {
  readonly text: string;
  /** In pixels of the image that was sent. */
  readonly box: Rect;
  /** From 0 to 1; undefined from models that do not say. */
  readonly confidence?: number;
}

/** What a model said, whole. */
export interface AdaptorAnswer {
  readonly text: string;
  /** The model's own name, which may be more exact than the one asked for. */
  readonly model: string;
  readonly usage?: TokenUsage;
  /** The parsed text, where the request had a `schema`: it satisfies it. */
  readonly data?: unknown;
  /** Where the text stands in the picture, from providers that read it: `local`. */
  readonly lines?: readonly TextLine[];
  /** How often it was sent, where a queue sends it: once more for each worker that was lost while it asked. */
  readonly attempts?: number;
  /** How long it lay in a queue. */
  readonly queuedMs?: number;
}

/** The one interface behind which every provider stands. */
export interface Adaptor extends Closable {
  readonly provider: string;
  readonly model: string;
  readonly limits: ImageLimits;
  /**
   * For models that know a few fixed prompts: the one that is meant when nothing is asked. They are shown
   * several images without a word about how these belong together. @default any prompt is understood
   */
  readonly fixedPrompt?: string | undefined;
  /** What one image costs before it is sent, and the size to which the provider scales it down. */
  imageCost(size: Size): ImageCost;
  /**
   * Sends one request. Fails with CAP_PROVIDER_AUTH, CAP_PROVIDER_REJECTED or CAP_PROVIDER_UNAVAILABLE,
   * with CAP_CLOSED after `close`, and with the signal's reason when aborted.
   */
  ask(request: AdaptorRequest): Promise<AdaptorAnswer>;
}

/** Enough for a page of text after what a reasoning model thinks first. */
export const DEFAULT_MAX_OUTPUT_TOKENS = 2048;
