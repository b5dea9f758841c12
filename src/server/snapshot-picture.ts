import sharp from 'sharp';
import { CapError, fitsInside, formatRegion, formatSize, type Rect, type Size, unexpected } from '../core/index.js';
import { presetPlan, type Still } from '../session/index.js';
import type { SnapshotFormat, SnapshotQuery } from './snapshot-query.js';

export interface SnapshotPicture extends Size {
  readonly data: Buffer;
}

/** Cuts out what the query asks for, scales and encodes it. @throws CAP_USAGE when the picture does not have it */
export async function encodeSnapshot(
  still: Still,
  query: SnapshotQuery,
  format: SnapshotFormat,
): Promise<SnapshotPicture> {
  const part = partOf(still, query);
  const size = sizeOf(part, query);
  const picture = sharp(still.data, { raw: { width: still.width, height: still.height, channels: 3 } })
    .extract({ left: part.x, top: part.y, width: part.width, height: part.height })
    .resize(size.width, size.height, { fit: 'fill', kernel: 'lanczos3' });
  const { quality } = query;
  const coded = {
    // Colours at full resolution: thin coloured text is what 4:2:0 blurs first.
    jpg: () => picture.jpeg({ quality, chromaSubsampling: '4:4:4' }),
    // Time counts for more than bytes.
    png: () => picture.png({ compressionLevel: 2 }),
    webp: () => picture.webp({ quality, effort: 2 }),
  }[format]();
  return { data: await coded.toBuffer(), ...size };
}

function partOf(still: Still, { region, view }: SnapshotQuery): Rect {
  const part = view === undefined ? region : viewOf(still, view);
  if (!part) return { x: 0, y: 0, width: still.width, height: still.height };
  if (!fitsInside(part, still)) {
    throw unexpected('region', `a region within ${formatSize(still)}`, formatRegion(part));
  }
  return part;
}

function viewOf({ metadata }: Still, view: number | 'global'): Rect {
  const gundam = metadata?.gundam;
  const rect = view === 'global' ? gundam?.global : gundam?.tiles[view - 1];
  if (rect) return rect;
  const hint = gundam
    ? `this picture has ${gundam.tiles.length} tiles and the global view`
    : 'views are for streams that cap serves with --gundam';
  throw new CapError('CAP_USAGE', `the picture has no view "${view === 'global' ? view : `tile-${view}`}"`, { hint });
}

/** Never scaled up. */
function sizeOf(part: Rect, { preset, widthPx }: SnapshotQuery): Size {
  if (preset) {
    const { width, height } = presetPlan(part, preset).canvas;
    return { width: Math.min(width, part.width), height: Math.min(height, part.height) };
  }
  const width = Math.min(widthPx ?? part.width, part.width);
  return { width, height: Math.max(1, Math.round((part.height * width) / part.width)) };
}
