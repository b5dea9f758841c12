import { anthropicPatches, HIGH_TIER, STANDARD_TIER } from '../tokens/anthropic.js';
import { type ImageLimits, READ, type VendorRows, WEB } from './profile.js';

/** 10 MB of base64 is 7.5 MB of image. More than 20 images would fall under a stricter limit of their sides. */
const LIMITS: ImageLimits = {
  maxEdgePx: 8000,
  gridPx: 28,
  maxImageBytes: 7_500_000,
  maxRequestBytes: 32_000_000,
  maxImages: 20,
  mediaTypes: WEB,
};
const pages = { source: 'Anthropic pages "Vision" and "Vision coordinates"', date: READ };

export const ANTHROPIC_MODELS: VendorRows = [
  {
    pattern: /^claude-(3|[a-z]+-4-?[0-6]?(-2\d{7})?$)/,
    limits: LIMITS,
    formula: anthropicPatches(STANDARD_TIER),
    ...pages,
  },
  { pattern: /^claude-/, limits: LIMITS, formula: anthropicPatches(HIGH_TIER), ...pages },
  {
    pattern: /^/,
    limits: LIMITS,
    formula: anthropicPatches(HIGH_TIER),
    assumed: true,
    source: 'assumed to count as Claude 4.7 and later',
    date: READ,
  },
];
