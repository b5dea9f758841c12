import { type Rect, unexpected } from '../core/index.js';

/** What is masked before anything else sees the picture. */
export interface RedactionOptions {
  /** In pixels of the source, grown to whole blocks of 8 × 8. @default none */
  readonly regions?: readonly Rect[] | undefined;
}

const MOST_REGIONS = 256;
const MAX_PX = 65_535;

/** Whether anything is to be masked. @throws CAP_USAGE */
export function checkRedaction({ regions = [] }: RedactionOptions): boolean {
  if (regions.length > MOST_REGIONS)
    throw unexpected('the redacted regions', `${MOST_REGIONS} at most`, regions.length);
  for (const region of regions) {
    const { x, y, width, height } = region;
    const isRect = [x, y, width - 1, height - 1].every((px) => Number.isInteger(px) && px >= 0 && px <= MAX_PX);
    if (!isRect) throw unexpected('a redacted region', 'a rectangle of whole pixels', JSON.stringify(region));
  }
  return regions.length > 0;
}
