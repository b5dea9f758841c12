import {
  AS_STREAMED,
  FULL_SIZE,
  GUNDAM,
  openTextReader,
  PresetChooser,
  presetScaling,
  type Scaling,
} from '../consumer/index.js';
import { type Logger, unexpected } from '../core/index.js';
import { builtInPresets, loadPreset, type Preset, presetPlan, userPresets } from '../producer/index.js';

/** In which size pictures are sent. */
export interface PictureOptions {
  /**
   * A preset's name or file, of the source's pixels; or `auto`: of all presets, full size and the Gundam views the
   * cheapest, in the model's tokens, at which the text stays legible. @default all that the model gains from
   */
  readonly scalePreset?: string | undefined;
  /**
   * Share of the text that is to stay legible, above 0 and up to 1. Without `auto` it is only measured, and a warning
   * says when it is less. @default 0.95 with `auto`, else not measured
   */
  readonly legibility?: number | undefined;
}

/** What of a look these options become; a chooser is to be closed. */
interface Picture {
  readonly scaling?: Scaling;
  readonly presetChooser?: PresetChooser;
}

interface PictureContext {
  readonly logger: Logger | undefined;
  /** A single look waits for the check, however long that takes. */
  readonly waits: boolean;
}

/** As long as a look may take. */
const LONGEST_CHECK_MS = 300_000;

/** @throws CAP_USAGE */
export async function openPicture(options: PictureOptions = {}, { logger, waits }: PictureContext): Promise<Picture> {
  const { scalePreset, legibility } = options;
  if (legibility !== undefined && !(legibility > 0 && legibility <= 1)) {
    throw unexpected('legibility', 'a share above 0 and up to 1', legibility);
  }
  const scalings = scalingsOf(scalePreset);
  if (legibility === undefined && scalePreset !== 'auto') {
    const [scaling] = scalings;
    return scalePreset === undefined || !scaling ? {} : { scaling };
  }
  const presetChooser = new PresetChooser({
    scalings,
    reader: await openTextReader(),
    logger,
    ...(legibility === undefined ? {} : { atLeast: legibility }),
    ...(waits ? { firstCheckMs: LONGEST_CHECK_MS } : {}),
  });
  return { presetChooser };
}

function scalingsOf(scalePreset: string | undefined): readonly Scaling[] {
  if (scalePreset === undefined) return [AS_STREAMED];
  if (scalePreset !== 'auto') return [toScaling(loadPreset(scalePreset))];
  return [FULL_SIZE, GUNDAM, ...allPresets()];
}

/** The built-in presets and the user's own, as sizes in which a picture may be shown. */
export function allPresets(): Scaling[] {
  return [...builtInPresets(), ...userPresets()].map(toScaling);
}

const toScaling = (preset: Preset): Scaling =>
  presetScaling(preset.name, (source) => presetPlan(source, preset).canvas);
