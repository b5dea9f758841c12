import { CapError, type Logger } from '../core/index.js';
import { anthropicPatches, HIGH_TIER, STANDARD_TIER } from './tokens/anthropic.js';
import { deepSeekOcr2, deepSeekOcrGundam } from './tokens/deepseek-ocr.js';
import type { ImageFormula } from './tokens/formula.js';
import { geminiBudget, geminiTiles } from './tokens/gemini.js';
import { openAiPatches, openAiTiles } from './tokens/openai.js';
import { qwenCells } from './tokens/qwen.js';

/** What images are encoded as. */
export type MediaType = 'image/png' | 'image/jpeg' | 'image/webp';

/** What a model accepts. Every number is per request unless it says otherwise. */
export interface ImageLimits {
  /** Longest side of an image in pixels, above which the server refuses it or we do not go. */
  readonly maxEdgePx: number;
  /** Pixels of one image. @default no limit */
  readonly maxPixels?: number;
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
  /** Where the numbers come from, and when they were read. */
  readonly source: string;
  readonly date: string;
}

const MIB = 1024 * 1024;
const WEB: readonly MediaType[] = ['image/jpeg', 'image/png', 'image/webp'];

/** Limits of one image on OpenAI's side are its 30,000 patches; the total is 512 MB, of which we use a tenth. */
const OPENAI: ImageLimits = {
  maxEdgePx: 65_535,
  maxPixels: 30_000 * 32 * 32,
  maxImageBytes: 20 * MIB,
  maxRequestBytes: 50 * MIB,
  maxImages: 500,
  mediaTypes: WEB,
};
/** 10 MB of base64 is 7.5 MB of image. More than 20 images would fall under a stricter limit of their sides. */
const ANTHROPIC: ImageLimits = {
  maxEdgePx: 8000,
  maxImageBytes: 7_500_000,
  maxRequestBytes: 32_000_000,
  maxImages: 20,
  mediaTypes: WEB,
};
const GEMINI: ImageLimits = {
  maxEdgePx: 8192,
  maxImageBytes: 15 * MIB,
  maxRequestBytes: 20_000_000,
  maxImages: 3600,
  mediaTypes: WEB,
};
/** What vLLM, Ollama, llama.cpp and LM Studio all take: llama.cpp reads no WebP. */
const OPEN_WEIGHTS: ImageLimits = {
  maxEdgePx: 4096,
  maxImageBytes: 10 * MIB,
  maxRequestBytes: 40 * MIB,
  maxImages: 16,
  mediaTypes: ['image/jpeg', 'image/png'],
};
/** A global view and the nine tiles that its Gundam mode knows at most. */
const GUNDAM: ImageLimits = { ...OPEN_WEIGHTS, maxImages: 10 };
/** 10 MB of base64; so many images only as the context has room for, of which this is a part. */
const QWEN: ImageLimits = {
  maxEdgePx: 8192,
  maxImageBytes: 7_500_000,
  maxRequestBytes: 40 * MIB,
  maxImages: 20,
  mediaTypes: WEB,
};

const OPENAI_GUIDE = 'OpenAI guide "Images and vision"';
const CLAUDE_VISION = 'Anthropic pages "Vision" and "Vision coordinates"';
const MODEL_STUDIO = 'Alibaba Model Studio, "Visual understanding", with vl_high_resolution_images';
const READ = '2026-11-21';

const SMALL_LOW = { maxEdgePx: 512 };
const LARGE_LOW = { maxEdgePx: 2048, patchBudget: 6144 };
const HIGH = { maxEdgePx: 2048, patchBudget: 2500 };
const UNBOUNDED = { maxEdgePx: 65_535 };
const ORIGINAL_6000 = { maxEdgePx: 6000, patchBudget: 10_000 };
const OLD_SMALL = { maxEdgePx: 2048, patchBudget: 1536 };

const astra = openAiPatches({
  centiTokensPerPatch: 120,
  low: SMALL_LOW,
  high: { maxEdgePx: 65_535, patchBudget: 2500 },
  original: UNBOUNDED,
  auto: 'original',
});

function sameAtEveryDetail(centiTokensPerPatch: number, sizing: typeof LARGE_LOW): ImageFormula {
  return openAiPatches({ centiTokensPerPatch, low: sizing, high: sizing, auto: 'high' });
}

function row(
  vendor: ModelVendor,
  pattern: RegExp,
  limits: ImageLimits,
  formula: ImageFormula,
  source: string,
): ModelProfile {
  return { vendor, pattern, limits, formula, source, date: READ };
}

/** The first row that matches counts; the last row of each vendor is its fallback for unknown models. */
export const MODELS: readonly ModelProfile[] = [
  row('openai', /^gpt-6-astra/, OPENAI, astra, OPENAI_GUIDE),
  row(
    'openai',
    /^gpt-5\.6/,
    OPENAI,
    openAiPatches({ centiTokensPerPatch: 120, low: SMALL_LOW, high: HIGH, original: UNBOUNDED, auto: 'original' }),
    OPENAI_GUIDE,
  ),
  row(
    'openai',
    /^gpt-5\.5/,
    OPENAI,
    openAiPatches({ centiTokensPerPatch: 120, low: SMALL_LOW, high: HIGH, original: ORIGINAL_6000, auto: 'original' }),
    OPENAI_GUIDE,
  ),
  row(
    'openai',
    /^gpt-5\.4/,
    OPENAI,
    openAiPatches({ centiTokensPerPatch: 120, low: LARGE_LOW, high: HIGH, original: ORIGINAL_6000, auto: 'high' }),
    OPENAI_GUIDE,
  ),
  row('openai', /^gpt-5\.[23]/, OPENAI, sameAtEveryDetail(120, LARGE_LOW), OPENAI_GUIDE),
  row(
    'openai',
    /^gpt-5-mini/,
    OPENAI,
    sameAtEveryDetail(120, OLD_SMALL),
    `${OPENAI_GUIDE}; budget from its older text`,
  ),
  row(
    'openai',
    /^gpt-5-nano/,
    OPENAI,
    sameAtEveryDetail(150, OLD_SMALL),
    `${OPENAI_GUIDE}; budget from its older text`,
  ),
  row('openai', /^gpt-5/, OPENAI, openAiTiles(70, 140), OPENAI_GUIDE),
  row('openai', /^gpt-4\.1-mini/, OPENAI, sameAtEveryDetail(162, LARGE_LOW), OPENAI_GUIDE),
  row(
    'openai',
    /^gpt-4\.1-nano/,
    OPENAI,
    sameAtEveryDetail(246, OLD_SMALL),
    `${OPENAI_GUIDE}; budget from its older text`,
  ),
  row('openai', /^o4-mini/, OPENAI, sameAtEveryDetail(172, OLD_SMALL), `${OPENAI_GUIDE}; budget from its older text`),
  row('openai', /^(chatgpt-)?gpt-4o-mini/, OPENAI, openAiTiles(2833, 5667), OPENAI_GUIDE),
  row('openai', /^(chatgpt-4o|gpt-4o|gpt-4\.1)/, OPENAI, openAiTiles(85, 170), OPENAI_GUIDE),
  row('openai', /^o[13]/, OPENAI, openAiTiles(75, 150), OPENAI_GUIDE),
  row('openai', /^/, OPENAI, astra, 'assumed to count as gpt-6-astra'),

  row(
    'anthropic',
    /^claude-(3|[a-z]+-4-?[0-6]?(-2\d{7})?$)/,
    ANTHROPIC,
    anthropicPatches(STANDARD_TIER),
    CLAUDE_VISION,
  ),
  row('anthropic', /^claude-/, ANTHROPIC, anthropicPatches(HIGH_TIER), CLAUDE_VISION),
  row('anthropic', /^/, ANTHROPIC, anthropicPatches(HIGH_TIER), 'assumed to count as Claude 4.7 and later'),

  row('google', /^gemini-(1|2)/, GEMINI, geminiTiles, 'ai.google.dev, image understanding'),
  row(
    'google',
    /^gemini-3/,
    GEMINI,
    geminiBudget,
    'ai.google.dev, media resolution; grid inferred from measured counts',
  ),
  row('google', /^/, GEMINI, geminiBudget, 'assumed to count as Gemini 3'),

  row(
    'qwen',
    /^qwen-?2(\.5)?-?vl/,
    QWEN,
    qwenCells({ cellPx: 28, minTokens: 4, maxTokens: 16_384, markerTokens: 2 }),
    MODEL_STUDIO,
  ),
  row(
    'qwen',
    /^qwen(3(\.\d)?-|-vl)/,
    QWEN,
    qwenCells({ cellPx: 32, minTokens: 4, maxTokens: 16_384, markerTokens: 2 }),
    MODEL_STUDIO,
  ),
  row(
    'qwen',
    /^/,
    QWEN,
    qwenCells({ cellPx: 32, minTokens: 4, maxTokens: 16_384, markerTokens: 2 }),
    'assumed to count as Qwen3-VL',
  ),

  row('open-weights', /^deepseek-ocr-?2/, GUNDAM, deepSeekOcr2, 'deepseek-ai/DeepSeek-OCR-2'),
  row('open-weights', /^deepseek-ocr/, GUNDAM, deepSeekOcrGundam(6), 'deepseek-ai/DeepSeek-OCR and vLLM: 6 crops'),
  row(
    'open-weights',
    /^qwen-?3(\.\d)?-?vl/,
    OPEN_WEIGHTS,
    qwenCells({ cellPx: 32, minTokens: 4, maxTokens: 16_384 }),
    'QwenLM/Qwen3-VL, qwen_vl_utils',
  ),
  row(
    'open-weights',
    /^qwen-?2(\.5)?-?vl/,
    OPEN_WEIGHTS,
    qwenCells({ cellPx: 28, minTokens: 4, maxTokens: 16_384 }),
    'QwenLM/Qwen3-VL, qwen_vl_utils',
  ),
  row(
    'open-weights',
    /^/,
    { ...OPEN_WEIGHTS, maxEdgePx: 2048 },
    qwenCells({ cellPx: 28, minTokens: 4, maxTokens: 16_384 }),
    'assumed to count as Qwen2.5-VL',
  ),

  row(
    'local',
    /^/,
    {
      maxEdgePx: 16_384,
      maxImageBytes: 512 * MIB,
      maxRequestBytes: 1024 * MIB,
      maxImages: 1,
      mediaTypes: ['image/png'],
    },
    (size) => ({ tokens: 0, seen: size }),
    'runs on this machine; nothing is sent or billed',
  ),
];

/**
 * The row of a model. Owner folders (`Qwen/…`), upper case and tags (`…:7b`) are ignored.
 * An unknown model gets the vendor's fallback, with one warning.
 */
export function profileOf(vendor: ModelVendor, model: string, logger?: Logger): ModelProfile {
  const name = model.toLowerCase().split('/').at(-1) ?? '';
  const rows = MODELS.filter((candidate) => candidate.vendor === vendor);
  const found = rows.find((candidate) => candidate.pattern.test(name));
  if (!found) throw new CapError('CAP_INTERNAL', `no row for ${vendor}`);
  if (found === rows.at(-1) && vendor !== 'local') {
    logger?.warn('unknown model: its image limits and token counts are a guess', { model, assumption: found.source });
  }
  return found;
}
