import type { ImageContent, TextContent } from '@modelcontextprotocol/sdk/types.js';
import { frameAgeMs } from '../consumer/frame-age.js';
import { fitFrame } from '../consumer/index.js';
import { checkLegibility } from '../consumer/legibility/check.js';
import { candidatesOf, FULL_SIZE } from '../consumer/legibility/scaling.js';
import type { TextReader } from '../consumer/ocr/page-reader.js';
import {
  CapError,
  type Frame,
  fitsInside,
  formatRegion,
  formatSize,
  parseRegion,
  type Rect,
  unexpected,
} from '../core/index.js';
import { allPresets, loadPreset, presetPlan } from '../session/index.js';
import { type ClientModel, withEdge } from './client-model.js';

/** What of a picture is shown, and how large. */
export interface Showing {
  readonly region?: Rect | undefined;
  /** Divides the pixels; never larger than `maxEdgePx` allows. */
  readonly preset?: string | undefined;
  readonly maxEdgePx?: number | undefined;
  /** Finds the cheapest size at which the text stays legible, instead of a preset. */
  readonly reader?: TextReader | undefined;
}

export type PictureContent = (ImageContent | TextContent)[];

/** A frame as a client sees it: its images, and a line that says what they are. @throws CAP_USAGE */
export async function showFrame(frame: Frame, model: ClientModel, showing: Showing = {}): Promise<PictureContent> {
  // A region is a picture of its own.
  const shown = showing.region ? withoutMetadata(cutOut(frame, showing.region)) : frame;
  const target = withEdge(model, edgeOf(shown, showing));
  const chosen = showing.reader && (await cheapestLegible(shown, target, showing.reader));
  const { images, estimatedTokens, caption } = await fitFrame(shown, target, chosen ? { scaling: chosen.scaling } : {});
  const sizes = images.map(formatSize).join(' ');
  const bytes = images.reduce((sum, { data }) => sum + data.length, 0);
  const line =
    `${frameName(frame)} · ${sizes} of ${showing.region ? formatRegion(showing.region) : 'all'} ` +
    `in a picture of ${formatSize(frame)} · ~${estimatedTokens} tokens · ${Math.ceil(bytes / 1024)} KiB${chosen?.legible ?? ''}`;
  return [
    ...images.map(({ data, mediaType }) => {
      return { type: 'image' as const, data: data.toString('base64'), mimeType: mediaType };
    }),
    { type: 'text', text: caption === undefined ? line : `${line}\n${caption}` },
  ];
}

/** Without the Gundam views: a client that wants more than fits looks at a region. */
async function cheapestLegible(frame: Frame, target: ClientModel, reader: TextReader) {
  const candidates = candidatesOf(frame, target, [FULL_SIZE, ...allPresets()]);
  const { chosen, legibility } = await checkLegibility({ frame, target, fit: {}, candidates }, reader);
  const share = legibility && `${Math.round(legibility.share * 100)} % of its text legible`;
  return { scaling: chosen.scaling, legible: ` · ${chosen.scaling.name}, ${share ?? 'legibility not known'}` };
}

/** `frame 812, 21 ms old`. */
export function frameName(frame: Frame): string {
  const ageMs = frameAgeMs(frame);
  const number = frame.metadata?.frameNumber ?? frame.sequence;
  return `frame ${number}${ageMs === undefined ? '' : `, ${Math.round(ageMs)} ms old`}`;
}

/** Reads a region of a picture. @throws CAP_USAGE */
export function regionOf(text: string | undefined, frame: Frame): Rect | undefined {
  if (text === undefined) return undefined;
  const region = parseRegion(text);
  if (!region || !fitsInside(region, frame)) {
    throw unexpected('region', `a region such as 640x360+100+50 within ${formatSize(frame)}`, text);
  }
  if (frame.metadata?.gundam) {
    throw new CapError('CAP_USAGE', 'this stream is a Gundam composite, which has no regions', {
      hint: 'leave region out, or stream without --gundam',
    });
  }
  return region;
}

/** Rows are copied, which is all that packed pixels take. */
export function cutOut(frame: Frame, { x, y, width, height }: Rect): Frame {
  const data = Buffer.allocUnsafe(width * height * 3);
  for (let row = 0; row < height; row += 1) {
    const from = ((y + row) * frame.width + x) * 3;
    frame.data.copy(data, row * width * 3, from, from + width * 3);
  }
  return { ...frame, data, width, height };
}

const withoutMetadata = ({ metadata: _, ...frame }: Frame): Frame => frame;

function edgeOf(frame: Frame, { preset, maxEdgePx, reader }: Showing): number | undefined {
  if (preset === undefined || reader) return maxEdgePx;
  // By name alone: a client may not have files read.
  if (!/^[\w-]+$/.test(preset)) throw unexpected('preset', 'the name of a preset', preset);
  const { width, height } = presetPlan(frame, loadPreset(preset)).canvas;
  return Math.min(maxEdgePx ?? Number.POSITIVE_INFINITY, Math.max(width, height));
}
