import { type FitTarget, fitSize } from '../consumer/fit-size.js';
import { MODELS, type ModelProfile, plainName } from '../consumer/models.js';
import { costUsd, type Price, priceOf } from '../consumer/prices.js';
import { CapError, type Size } from '../core/index.js';
import { builtInPresets, userPresets } from '../producer/presets.js';
import { presetPlan } from '../producer/scale-plan.js';

export { priceOf } from '../consumer/prices.js';

/** What a preset makes of a source. */
export interface PresetRow {
  readonly name: string;
  /** The pixel count is divided by this number. */
  readonly factor: number;
  /** Size of the streamed picture in pixels. */
  readonly width: number;
  readonly height: number;
  /** Size in which the model is sent it. */
  readonly sent: Size;
  /** Estimated input tokens of one such picture. */
  readonly tokens: number;
  /** What the pictures of an hour cost, in US dollars; where `everyMs` was given. */
  readonly usdPerHour?: number;
}

/** Whose tokens are shown, at what rate, and a bound for the sizes. */
export interface PresetTableOptions {
  /** Whose tokens are estimated. @default DEFAULT_TOKEN_MODEL */
  readonly model?: string | undefined;
  /** The result's longer side is at most this many pixels. @default no limit */
  readonly maxLongSidePx?: number | undefined;
  /** Milliseconds from one look to the next, for the price of an hour. @default no price */
  readonly everyMs?: number | undefined;
  /** US dollars for a million input tokens. @default the model's price, where it is known */
  readonly usdPerMillion?: number | undefined;
}

/** Anthropic's high tier: it counts 28 px patches, and shrinks nothing up to 1920x1080. */
export const DEFAULT_TOKEN_MODEL = 'claude-opus-4-7';

const HOUR_MS = 3_600_000;

/**
 * The built-in presets and then the user's own, each with the size it makes of `source` and its estimated
 * tokens. Throws CAP_USAGE for a model whose way of counting is not known, or its price when that is asked for.
 */
export function presetTable(source: Size, options: PresetTableOptions = {}): PresetRow[] {
  const { model = DEFAULT_TOKEN_MODEL, maxLongSidePx, everyMs } = options;
  const { limits, formula } = knownProfile(model);
  const target: FitTarget = { limits, imageCost: (size) => formula(size, 'high') };
  const price = everyMs === undefined ? undefined : knownPrice(model, options.usdPerMillion);
  return [...builtInPresets(), ...userPresets()].map((preset) => {
    const { canvas } = presetPlan(source, preset, { maxLongSidePx });
    const sent = fitSize(canvas, target);
    const { tokens } = target.imageCost(sent);
    const usd = price === undefined ? 0 : costUsd({ inputTokens: tokens, outputTokens: 0 }, price);
    return {
      name: preset.name,
      factor: preset.factor,
      width: canvas.width,
      height: canvas.height,
      sent,
      tokens,
      ...(everyMs === undefined ? {} : { usdPerHour: (usd * HOUR_MS) / everyMs }),
    };
  });
}

/** What is assumed of a model that no table names but whose family one does; undefined for a known one. */
export function assumptionOf(model: string): string | undefined {
  const { assumed, source } = knownProfile(model);
  return assumed ? source : undefined;
}

/** The row that names a model, in whichever vendor's table; else its family's. A vendor's last row is only a guess. */
export function knownProfile(model: string): ModelProfile {
  const name = plainName(model);
  const matching = MODELS.filter(({ pattern }) => pattern.test(name) && !pattern.test(''));
  const profile = matching.find(({ assumed }) => !assumed) ?? matching[0];
  if (profile) return profile;
  throw new CapError('CAP_USAGE', `it is not known how the model "${model}" counts tokens`, {
    hint: `give a model such as ${DEFAULT_TOKEN_MODEL}, gpt-5.6-sol, gemini-3-pro, qwen3-vl or deepseek-ocr`,
  });
}

function knownPrice(model: string, usdPerMillion: number | undefined): Price {
  const price = usdPerMillion === undefined ? priceOf(model) : { inputUsd: usdPerMillion, outputUsd: 0 };
  if (price) return price;
  throw new CapError('CAP_USAGE', `the price of the model "${model}" is not known`, {
    hint: 'give it with --price, in dollars for a million input tokens',
  });
}
