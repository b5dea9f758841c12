import type { Command } from 'commander';
import { unexpected } from '../core/index.js';
import type { PictureOptions } from '../session/index.js';

/** The options that say in which size pictures are sent. */
export interface PictureFlags {
  readonly scalePreset?: string;
  readonly legibility?: number;
}

export function addPictureOptions(command: Command): Command {
  return command
    .option(
      '--scale-preset <auto|name|file>',
      'send pictures at a preset, or at the cheapest size at which their text stays legible',
    )
    .option(
      '--legibility <share>',
      'how much of the text is to stay legible (default with auto: 0.95); without auto: say how much does',
      share,
    );
}

export function toPicture({ scalePreset, legibility }: PictureFlags): PictureOptions {
  return { scalePreset, legibility };
}

function share(text: string): number {
  const value = /^[01](\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1)) throw unexpected('--legibility', 'a share above 0 and up to 1, such as 0.95', text);
  return value;
}
