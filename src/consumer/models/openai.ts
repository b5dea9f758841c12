import type { ImageFormula } from '../tokens/formula.js';
import { openAiPatches, openAiTiles } from '../tokens/openai.js';
import { type ImageLimits, MIB, READ, type VendorRows, WEB } from './profile.js';

/** Limits of one image on OpenAI's side are its 30,000 patches; the total is 512 MB, of which we use a tenth. */
const PATCHES: ImageLimits = {
  maxEdgePx: 65_535,
  maxPixels: 30_000 * 32 * 32,
  gridPx: 32,
  maxImageBytes: 20 * MIB,
  maxRequestBytes: 50 * MIB,
  maxImages: 500,
  mediaTypes: WEB,
};
const TILES: ImageLimits = { ...PATCHES, gridPx: 512 };

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
const gpt56 = openAiPatches({
  centiTokensPerPatch: 120,
  low: SMALL_LOW,
  high: HIGH,
  original: UNBOUNDED,
  auto: 'original',
});
const gpt55 = openAiPatches({
  centiTokensPerPatch: 120,
  low: SMALL_LOW,
  high: HIGH,
  original: ORIGINAL_6000,
  auto: 'original',
});
const gpt54 = openAiPatches({
  centiTokensPerPatch: 120,
  low: LARGE_LOW,
  high: HIGH,
  original: ORIGINAL_6000,
  auto: 'high',
});

function sameAtEveryDetail(centiTokensPerPatch: number, sizing: typeof LARGE_LOW): ImageFormula {
  return openAiPatches({ centiTokensPerPatch, low: sizing, high: sizing, auto: 'high' });
}

const guide = { source: 'OpenAI guide "Images and vision"', date: READ };
const olderGuide = { source: 'OpenAI guide "Images and vision"; patch budget from its older text', date: READ };
const assumed = (as: string) => ({ assumed: true, source: `assumed to count as ${as}`, date: READ }) as const;

export const OPENAI_MODELS: VendorRows = [
  { pattern: /^gpt-6-astra/, limits: PATCHES, formula: astra, ...guide },
  { pattern: /^gpt-6/, limits: PATCHES, formula: astra, ...assumed('gpt-6-astra') },
  { pattern: /^gpt-5\.6/, limits: PATCHES, formula: gpt56, ...guide },
  { pattern: /^gpt-5\.5/, limits: PATCHES, formula: gpt55, ...guide },
  { pattern: /^gpt-5\.4/, limits: PATCHES, formula: gpt54, ...guide },
  { pattern: /^gpt-5\.[23]/, limits: PATCHES, formula: sameAtEveryDetail(120, LARGE_LOW), ...guide },
  { pattern: /^gpt-5\.[7-9]/, limits: PATCHES, formula: gpt56, ...assumed('gpt-5.6') },
  { pattern: /^gpt-5-mini/, limits: PATCHES, formula: sameAtEveryDetail(120, OLD_SMALL), ...olderGuide },
  { pattern: /^gpt-5-nano/, limits: PATCHES, formula: sameAtEveryDetail(150, OLD_SMALL), ...olderGuide },
  { pattern: /^gpt-5/, limits: TILES, formula: openAiTiles(70, 140), ...guide },
  { pattern: /^gpt-4\.1-mini/, limits: PATCHES, formula: sameAtEveryDetail(162, LARGE_LOW), ...guide },
  { pattern: /^gpt-4\.1-nano/, limits: PATCHES, formula: sameAtEveryDetail(246, OLD_SMALL), ...olderGuide },
  { pattern: /^o4-mini/, limits: PATCHES, formula: sameAtEveryDetail(172, OLD_SMALL), ...olderGuide },
  { pattern: /^(chatgpt-)?gpt-4o-mini/, limits: TILES, formula: openAiTiles(2833, 5667), ...guide },
  { pattern: /^(chatgpt-4o|gpt-4o|gpt-4\.1)/, limits: TILES, formula: openAiTiles(85, 170), ...guide },
  { pattern: /^o[13]/, limits: TILES, formula: openAiTiles(75, 150), ...guide },
  { pattern: /^/, limits: PATCHES, formula: astra, ...assumed('gpt-6-astra') },
];
