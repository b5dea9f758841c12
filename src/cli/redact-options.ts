import type { Command } from 'commander';
import type { RedactionOptions } from '../session/index.js';
import { pictureRegion } from './parse-options.js';

/** The options that say what is masked before it is encoded. */
export interface RedactFlags {
  readonly redact?: readonly string[];
}

export function addRedactOptions(command: Command): Command {
  return command.option('--redact <x,y,w,h...>', 'mask regions before anything is encoded, in pixels of the source');
}

/** Undefined when nothing is to be masked. @throws CAP_USAGE */
export function toRedaction({ redact }: RedactFlags): RedactionOptions | undefined {
  return redact && { regions: redact.map(pictureRegion('--redact')) };
}
