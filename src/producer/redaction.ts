import { CapError, type Rect, unexpected } from '../core/index.js';

/** What is masked before anything else sees the picture. */
export interface RedactionOptions {
  /** In pixels of the source, grown to whole blocks of 8 × 8. @default none */
  readonly regions?: readonly Rect[] | undefined;
  /**
   * Windows of an X screen, by what stands in their title, class or application's name, whatever its case; with their
   * frames, wherever they move. @default none
   */
  readonly windows?: readonly string[] | undefined;
  /**
   * Text: `keys`, `cards`, `emails` or an expression of RE2, `/ID-[0-9]+/i`. What matches is masked once it has been
   * read. @default none
   */
  readonly texts?: readonly string[] | undefined;
  /** With `texts`: what has changed is shown only once it has been read. @default false */
  readonly strict?: boolean | undefined;
}

const MOST_REGIONS = 256;
const MOST_WINDOWS = 64;
const MAX_PX = 65_535;

/** Whether anything is to be masked. @throws CAP_USAGE */
export function checkRedaction(options: RedactionOptions): boolean {
  const { regions = [], windows = [], texts = [], strict = false } = options;
  if (windows.length > MOST_WINDOWS || windows.some((pattern) => pattern.trim() === '' || pattern.length > 1000)) {
    throw unexpected('the redacted windows', `${MOST_WINDOWS} texts at most, none of them empty`, windows.length);
  }
  if (regions.length > MOST_REGIONS)
    throw unexpected('the redacted regions', `${MOST_REGIONS} at most`, regions.length);
  for (const region of regions) {
    const { x, y, width, height } = region;
    const isRect = [x, y, width - 1, height - 1].every((px) => Number.isInteger(px) && px >= 0 && px <= MAX_PX);
    if (!isRect) throw unexpected('a redacted region', 'a rectangle of whole pixels', JSON.stringify(region));
  }
  if (strict && texts.length === 0) {
    throw new CapError('CAP_USAGE', 'only text is waited for', { hint: 'say which, as with --redact-text keys' });
  }
  return regions.length + windows.length + texts.length > 0;
}
