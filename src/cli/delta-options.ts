import type { Command } from 'commander';
import { CapError } from '../core/index.js';
import type { DeltaOptions } from '../session/index.js';
import { integer } from './parse-options.js';

/** The options that say whether parts of the picture are sent. */
export interface DeltaFlags {
  readonly deltas?: true;
  readonly fullEvery?: number;
}

export function addDeltaOptions(command: Command): Command {
  return command
    .option('--deltas', 'send the parts of the picture that changed, where that costs less than the whole')
    .option('--full-every <n>', 'but the whole after n of these (default: 20)', integer('--full-every', 1, 1000));
}

/** The part of the options that goes with the watch. */
export function toDeltas({ deltas, fullEvery }: DeltaFlags): { readonly deltas?: DeltaOptions } {
  if (deltas) return { deltas: fullEvery === undefined ? {} : { fullEvery } };
  if (fullEvery === undefined) return {};
  throw new CapError('CAP_USAGE', '--full-every is about parts of the picture, and the whole is sent each time', {
    hint: 'add --deltas',
  });
}
