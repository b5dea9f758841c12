import type { Command } from 'commander';
import { CapError } from '../core/index.js';
import { type RedactionOptions, SecretFinder, splitTextPatterns, TEXT_KINDS } from '../session/index.js';
import { pictureRegion } from './parse-options.js';

/** The options that say what is masked before it is encoded. */
export interface RedactFlags {
  readonly redact?: readonly string[];
  readonly redactWindow?: readonly string[];
  readonly redactText?: readonly string[];
  readonly redactStrict?: true;
}

export function addRedactOptions(command: Command): Command {
  return command
    .option('--redact <x,y,w,h...>', 'mask regions before anything is encoded, in pixels of the source')
    .option('--redact-window <text...>', 'mask windows with it in their title, class or application (X11)')
    .option('--redact-text <what...>', `mask text once it has been read: ${TEXT_KINDS.join(', ')}, /expression/i`)
    .option('--redact-strict', 'with --redact-text, show what has changed only once it has been read');
}

/** Undefined when nothing is to be masked. @throws CAP_USAGE */
export function toRedaction(flags: RedactFlags): RedactionOptions | undefined {
  const { redact = [], redactWindow = [], redactText = [], redactStrict } = flags;
  if (redactStrict && redactText.length === 0) {
    throw new CapError('CAP_USAGE', '--redact-strict is for --redact-text', { hint: 'add --redact-text' });
  }
  if (redact.length + redactWindow.length + redactText.length === 0) return undefined;
  const texts = redactText.flatMap((text) => splitTextPatterns(text));
  // Told here, and not by a process later on.
  new SecretFinder(texts);
  return { regions: redact.map(pictureRegion('--redact')), windows: redactWindow, texts, strict: redactStrict };
}
