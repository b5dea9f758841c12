import { expectKnownKeys } from '../core/index.js';
import type { Adaptor } from './adaptor.js';
import type { FrameSource } from './frame-source.js';
import { type Answer, LOOK_OPTION_NAMES, type LookOptions, look } from './look.js';

/** One look at the newest frame. Closes neither the source nor the adaptor. */
export async function describe(source: FrameSource, adaptor: Adaptor, options: LookOptions = {}): Promise<Answer> {
  expectKnownKeys('describe', options, LOOK_OPTION_NAMES);
  const frame = await source.next(options.signal ? { signal: options.signal } : {});
  return look(frame, adaptor, options);
}
