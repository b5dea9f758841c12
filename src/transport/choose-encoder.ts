import { CapError, type Logger, unexpected } from '../core/index.js';
import {
  ENCODER_NAMES,
  type EncoderFragment,
  type EncoderOptions,
  type EncoderSettings,
  encoderSettings,
  x264Encoder,
} from './encoder.js';
import { hasEncoderElement, tryEncoder } from './encoder-trial.js';
import { ENCODER_ELEMENTS, type EncoderElement, encoderFragment } from './encoders.js';

export interface EncoderDemand {
  readonly fps: number;
  /** The frames say what changed, which only our own encoder makes use of. */
  readonly tellsDamage: boolean;
  /** Its bitrate is to change while it runs. @default false */
  readonly adapts?: boolean | undefined;
  readonly logger: Logger;
}

/**
 * The encoder that `options` name or, for `auto`, the best that works: see EncoderOptions. Never libx264's rival
 * untried: what an element promises and what a driver does are two things.
 * @throws CAP_USAGE
 */
export async function chooseEncoder(options: EncoderOptions, demand: EncoderDemand): Promise<EncoderFragment> {
  const { encoder: name = 'auto', hardware = true } = options;
  const settings = encoderSettings(options, demand.fps);
  const own = x264Encoder(options, demand.fps);
  if (!ENCODER_NAMES.includes(name)) throw unexpected('the encoder', `one of ${ENCODER_NAMES.join(', ')}`, name);
  if (name === 'x264' || (name === 'auto' && (!hardware || demand.tellsDamage || demand.adapts))) return own;
  const rows = ENCODER_ELEMENTS.filter((row) => (name === 'auto' ? row.hardware : row.name === name));
  if (!hardware && rows.some((row) => row.hardware)) {
    throw new CapError('CAP_USAGE', `${name} is a hardware encoder, and these are not allowed`);
  }
  if (demand.adapts && !rows.some((row) => row.liveBitrate)) {
    throw new CapError('CAP_USAGE', `the encoder ${name} cannot change its bitrate while it runs`, {
      hint: 'leave --encoder out, or choose a quality other than auto',
    });
  }
  const { fragment, row, reason } = await firstThatWorks(rows, settings);
  if (options.maxBitrateKbps !== undefined && row && !row.boundsBitrate) {
    demand.logger.warn(`${row.element} codes with a constant quantizer: its bitrate has no bound`);
  }
  if (fragment) return fragment;
  if (name !== 'auto') demand.logger.warn(`the encoder ${name} does not work here: ${reason}; x264 is used instead`);
  return own;
}

async function firstThatWorks(
  rows: readonly EncoderElement[],
  settings: EncoderSettings,
): Promise<{ readonly fragment?: EncoderFragment; readonly row?: EncoderElement; readonly reason: string }> {
  let reason = `${rows.map((row) => row.element).join(' and ')} not installed`;
  for (const row of rows.filter(({ element }) => hasEncoderElement(element))) {
    const fragment = encoderFragment(row, settings);
    const failure = await tryEncoder(fragment);
    if (failure === undefined) return { fragment, row, reason: '' };
    reason = `${row.element}: ${failure}`;
  }
  return { reason };
}
