import { CapError, type Logger } from '../core/index.js';
import { ANTHROPIC_MODELS } from './models/anthropic.js';
import { GOOGLE_MODELS } from './models/google.js';
import { OPEN_WEIGHTS_MODELS } from './models/open-weights.js';
import { OPENAI_MODELS } from './models/openai.js';
import { MIB, type ModelProfile, type ModelVendor, READ, type VendorRows } from './models/profile.js';
import { QWEN_MODELS } from './models/qwen.js';

export type { ImageLimits, MediaType, ModelProfile, ModelVendor } from './models/profile.js';

const LOCAL_MODELS: VendorRows = [
  {
    pattern: /^/,
    limits: {
      maxEdgePx: 16_384,
      maxImageBytes: 512 * MIB,
      maxRequestBytes: 1024 * MIB,
      maxImages: 1,
      mediaTypes: ['image/png'],
    },
    formula: (size) => ({ tokens: 0, seen: size }),
    source: 'runs on this machine; nothing is sent or billed',
    date: READ,
  },
];

const VENDORS: readonly (readonly [ModelVendor, VendorRows])[] = [
  ['openai', OPENAI_MODELS],
  ['anthropic', ANTHROPIC_MODELS],
  ['google', GOOGLE_MODELS],
  ['open-weights', OPEN_WEIGHTS_MODELS],
  ['qwen', QWEN_MODELS],
  ['local', LOCAL_MODELS],
];

/** The first row that matches counts; the last row of each vendor takes any model. */
export const MODELS: readonly ModelProfile[] = VENDORS.flatMap(([vendor, rows]) =>
  rows.map((row) => ({ vendor, ...row })),
);

/**
 * The row of a model. Owner folders (`Qwen/…`), upper case and tags (`…:7b`) are ignored.
 * An unknown model gets its family's row, or else its vendor's, with one warning.
 */
export function profileOf(vendor: ModelVendor, model: string, logger?: Logger): ModelProfile {
  const found = MODELS.find((row) => row.vendor === vendor && row.pattern.test(plainName(model)));
  if (!found) throw new CapError('CAP_INTERNAL', `no row for ${vendor}`);
  if (found.assumed) {
    logger?.warn('unknown model: its image limits and token counts are a guess', { model, assumption: found.source });
  }
  return found;
}

/** As patterns are matched against it. */
export function plainName(model: string): string {
  return model.toLowerCase().split('/').at(-1) ?? '';
}
