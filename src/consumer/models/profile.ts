import type { ImageFormula } from '../tokens/formula.js';

/** What images are encoded as. */
export type MediaType = 'image/png' | 'image/jpeg' | 'image/webp';

/** What a model accepts. Every number is per request unless it says otherwise. */
export interface ImageLimits {
  /** Longest side of an image in pixels, above which the server refuses it or we do not go. */
  readonly maxEdgePx: number;
  /** Pixels of one image. @default no limit */
  readonly maxPixels?: number;
  /** Side of the patch or tile that the model cuts a picture into; what does not fill the last one is padded. @default none */
  readonly gridPx?: number;
  /** Side of the cell to whose multiples the model scales a picture, where it pads nothing. @default none */
  readonly cellPx?: number;
  /** Bytes of one encoded image, before base64. */
  readonly maxImageBytes: number;
  /** Bytes of the whole request, base64 included. */
  readonly maxRequestBytes: number;
  readonly maxImages: number;
  readonly mediaTypes: readonly MediaType[];
}

/** Whose table a model is looked up in. */
export type ModelVendor = 'openai' | 'anthropic' | 'google' | 'qwen' | 'open-weights' | 'local';

/** A row of MODELS: what a family of models accepts and how it counts tokens. */
export interface ModelProfile {
  readonly vendor: ModelVendor;
  /** Matched against the whole model name, in lower case and without the owner's folder. */
  readonly pattern: RegExp;
  readonly limits: ImageLimits;
  readonly formula: ImageFormula;
  /** A family or vendor of which only other models are documented: the numbers are those of the nearest. */
  readonly assumed?: true;
  /** Where the numbers come from, and when they were read. */
  readonly source: string;
  readonly date: string;
}

/** Rows of one vendor, the first of which that matches counts. */
export type VendorRows = readonly Omit<ModelProfile, 'vendor'>[];

export const MIB = 1024 * 1024;
export const WEB: readonly MediaType[] = ['image/jpeg', 'image/png', 'image/webp'];
/** When the sources were read. */
export const READ = '2026-11-21';
