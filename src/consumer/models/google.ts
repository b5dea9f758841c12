import { geminiBudget, geminiTiles } from '../tokens/gemini.js';
import { type ImageLimits, MIB, READ, type VendorRows, WEB } from './profile.js';

/** Up to 2.5 the tiles follow the picture's size and from 3 on the cost is the same at any: there is no grid to fill. */
const LIMITS: ImageLimits = {
  maxEdgePx: 8192,
  maxImageBytes: 15 * MIB,
  maxRequestBytes: 20_000_000,
  maxImages: 3600,
  mediaTypes: WEB,
};

export const GOOGLE_MODELS: VendorRows = [
  {
    pattern: /^gemini-(1|2)/,
    limits: LIMITS,
    formula: geminiTiles,
    source: 'ai.google.dev, image understanding',
    date: READ,
  },
  {
    pattern: /^gemini-3/,
    limits: LIMITS,
    formula: geminiBudget,
    source: 'ai.google.dev, media resolution; grid inferred from measured counts',
    date: READ,
  },
  {
    pattern: /^/,
    limits: LIMITS,
    formula: geminiBudget,
    assumed: true,
    source: 'assumed to count as Gemini 3',
    date: READ,
  },
];
