import { deepSeekOcr2, deepSeekOcrGundam } from '../tokens/deepseek-ocr.js';
import { internVlTiles } from '../tokens/internvl.js';
import { llama4Tiles, llama32Tiles } from '../tokens/llama.js';
import { pixtralPatches } from '../tokens/pixtral.js';
import { qwenCells } from '../tokens/qwen.js';
import { type ImageLimits, MIB, READ, type VendorRows } from './profile.js';

/** What vLLM, Ollama, llama.cpp and LM Studio all take: llama.cpp reads no WebP. */
const COMMON: ImageLimits = {
  maxEdgePx: 4096,
  maxImageBytes: 10 * MIB,
  maxRequestBytes: 40 * MIB,
  maxImages: 16,
  mediaTypes: ['image/jpeg', 'image/png'],
};
/** A global view and the nine tiles that its Gundam mode knows at most. */
const GUNDAM: ImageLimits = { ...COMMON, maxImages: 10 };

const third = qwenCells({ cellPx: 32, minTokens: 4, maxTokens: 16_384 });
const second = qwenCells({ cellPx: 28, minTokens: 4, maxTokens: 16_384 });
const utils = { source: 'QwenLM/Qwen3-VL, qwen_vl_utils', date: READ };
const transformers = { source: 'Hugging Face transformers 5.18', date: READ };

export const OPEN_WEIGHTS_MODELS: VendorRows = [
  {
    pattern: /^deepseek-ocr-?2/,
    limits: GUNDAM,
    formula: deepSeekOcr2,
    source: 'deepseek-ai/DeepSeek-OCR-2',
    date: READ,
  },
  {
    pattern: /^deepseek-ocr/,
    limits: GUNDAM,
    formula: deepSeekOcrGundam(6),
    source: 'deepseek-ai/DeepSeek-OCR and vLLM: 6 crops',
    date: READ,
  },
  { pattern: /^qwen-?3(\.\d)?-?vl(?!-(plus|flash|max))/, limits: { ...COMMON, cellPx: 32 }, formula: third, ...utils },
  { pattern: /^qwen-?2(\.5)?-?vl/, limits: { ...COMMON, cellPx: 28 }, formula: second, ...utils },
  { pattern: /^internvl-?(2|3)/, limits: COMMON, formula: internVlTiles, ...transformers },
  { pattern: /^(meta-)?llama-?3\.2-.*vision/, limits: COMMON, formula: llama32Tiles, ...transformers },
  { pattern: /^(meta-)?llama-?4/, limits: COMMON, formula: llama4Tiles, ...transformers },
  { pattern: /^pixtral/, limits: { ...COMMON, gridPx: 16 }, formula: pixtralPatches, ...transformers },
  {
    pattern: /^moondream-?2/,
    limits: COMMON,
    formula: (size) => ({ tokens: 729, seen: size }),
    source: 'vikhyatk/moondream2: 27 x 27, whatever the size',
    date: READ,
  },
  {
    pattern: /^qwen/,
    limits: { ...COMMON, cellPx: 32 },
    formula: third,
    assumed: true,
    source: 'assumed to count as Qwen3-VL',
    date: READ,
  },
  {
    pattern: /^/,
    limits: { ...COMMON, maxEdgePx: 2048 },
    formula: second,
    assumed: true,
    source: 'assumed to count as Qwen2.5-VL',
    date: READ,
  },
];
