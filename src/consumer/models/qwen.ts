import { qwenCells } from '../tokens/qwen.js';
import { type ImageLimits, MIB, READ, type VendorRows, WEB } from './profile.js';

/** 10 MB of base64; of the 250 images that the guide allows, what the context has room for. */
const LIMITS: ImageLimits = {
  maxEdgePx: 8192,
  maxImageBytes: 7_500_000,
  maxRequestBytes: 40 * MIB,
  maxImages: 20,
  mediaTypes: WEB,
};
const third = qwenCells({ cellPx: 32, minTokens: 4, maxTokens: 16_384, markerTokens: 2 });
const second = qwenCells({ cellPx: 28, minTokens: 4, maxTokens: 16_384, markerTokens: 2 });
const guide = { source: 'Alibaba Model Studio, "Visual understanding", with vl_high_resolution_images', date: READ };

/** As Alibaba's Model Studio bills them: with the two tokens that mark a picture's start and end. */
export const QWEN_MODELS: VendorRows = [
  { pattern: /^qwen-?2(\.5)?-?vl/, limits: { ...LIMITS, cellPx: 28 }, formula: second, ...guide },
  { pattern: /^qwen(3-?vl|3\.[56]|-vl)/, limits: { ...LIMITS, cellPx: 32 }, formula: third, ...guide },
  {
    pattern: /^/,
    limits: { ...LIMITS, cellPx: 32 },
    formula: third,
    assumed: true,
    source: 'assumed to count as Qwen3-VL',
    date: READ,
  },
];
