import { MODELS, type ModelProfile, type ModelVendor, profileOf } from '../consumer/models.js';
import { CapError, type Size } from '../core/index.js';
import { builtInPresets, userPresets } from '../producer/presets.js';
import { presetPlan } from '../producer/scale-plan.js';

/** What a preset makes of a source. */
export interface PresetRow {
  readonly name: string;
  /** The pixel count is divided by this number. */
  readonly factor: number;
  /** Size of the streamed picture in pixels. */
  readonly width: number;
  readonly height: number;
  /** Estimated input tokens of one such picture. */
  readonly tokens: number;
}

/** Whose tokens are shown, and a bound for the sizes. */
export interface PresetTableOptions {
  /** Whose tokens are estimated. @default DEFAULT_TOKEN_MODEL */
  readonly model?: string | undefined;
  /** The result's longer side is at most this many pixels. @default no limit */
  readonly maxLongSidePx?: number | undefined;
}

/** Anthropic's high tier: it counts 28 px patches, and shrinks nothing up to 1920x1080. */
export const DEFAULT_TOKEN_MODEL = 'claude-opus-4-7';

/**
 * The built-in presets and then the user's own, each with the size it makes of `source` and its estimated
 * tokens. Throws CAP_USAGE for a model whose way of counting is not known.
 */
export function presetTable(source: Size, options: PresetTableOptions = {}): PresetRow[] {
  const { model = DEFAULT_TOKEN_MODEL, maxLongSidePx } = options;
  const { formula } = knownProfile(model);
  return [...builtInPresets(), ...userPresets()].map((preset) => {
    const { canvas } = presetPlan(source, preset, { maxLongSidePx });
    const { tokens } = formula(canvas, 'auto');
    return { name: preset.name, factor: preset.factor, width: canvas.width, height: canvas.height, tokens };
  });
}

/** The row of a model that some vendor's table names; a vendor's last row is only its guess for unknown ones. */
export function knownProfile(model: string): ModelProfile {
  const vendors = new Set<ModelVendor>(MODELS.map((row) => row.vendor));
  for (const vendor of vendors) {
    const profile = profileOf(vendor, model);
    const guess = MODELS.findLast((row) => row.vendor === vendor);
    if (profile !== guess) return profile;
  }
  throw new CapError('CAP_USAGE', `it is not known how the model "${model}" counts tokens`, {
    hint: `give a model such as ${DEFAULT_TOKEN_MODEL}, gpt-5.6-sol, gemini-3-pro, qwen3-vl or deepseek-ocr`,
  });
}
