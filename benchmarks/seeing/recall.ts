import sharp, { type Sharp } from 'sharp';
import type { Rect, Size } from '../../src/core/index.js';
import type { Change } from './desktop.js';
import { CHANNELS, cut, intersection, type Pixels, paste } from './pixels.js';
import type { Sent } from './recording-adaptor.js';
import { cutImage, inImage, type SeenPart, seenParts } from './seen-parts.js';

/** A change has to be in something that leaves so soon. */
export const WITHIN_MS = 2000;
/** Of the way from how it looked before to how it looks afterwards. */
const MOST_OF_THE_WAY = 0.5;

/** The first request within the time in which the change can be seen; by its pixels, not by what was said of them. */
export async function firstThatShows(change: Change, sent: readonly Sent[], screen: Size): Promise<Sent | undefined> {
  const candidates = sent.filter(({ atMs }) => atMs >= change.atMs && atMs <= change.atMs + WITHIN_MS);
  for (const request of candidates) if (await shows(request, change, screen)) return request;
  return undefined;
}

/**
 * Whether a request shows the screen as it is after the change, at the place of the change: how far what it shows is on
 * the way from before to after, where what it does not show has not moved. Compared at the scale of the screen, where a
 * fraction of an image's pixel is whole pixels.
 */
export async function shows(request: Sent, change: Change, screen: Size): Promise<boolean> {
  const { around } = change;
  const parts = seenParts(request, screen).filter(({ part }) => intersection(part, change.rect));
  // What a finer view shows, too, is not judged by the overview.
  const [first, ...finer] = parts;
  const judged = request.delta || finer.length === 0 ? parts : finer;
  if (!first) return false;
  const pixels = first.part.width / first.image.width;
  const [before, after] = await Promise.all([asSeen(change.before, pixels), asSeen(change.after, pixels)]);
  const shown: Pixels = { ...before, data: Buffer.from(before.data) };
  for (const seen of judged) {
    const common = intersection(seen.part, around);
    if (!common) continue;
    const place = inImage(seen, common);
    const onScreen = screenRect(seen, place, around);
    if (!onScreen) continue;
    const piece = await scaled(await cutImage(seen.image.data, place), onScreen);
    paste(shown, { x: onScreen.x - around.x, y: onScreen.y - around.y }, piece);
  }
  const inside = { ...change.rect, x: change.rect.x - around.x, y: change.rect.y - around.y };
  return wayGone(cut(before, inside), cut(after, inside), cut(shown, inside)) > MOST_OF_THE_WAY;
}

/** Which pixels of the screen a piece of an image shows. */
function screenRect({ image, part }: SeenPart, place: Rect, around: Rect): Rect | undefined {
  const [across, down] = [part.width / image.width, part.height / image.height];
  return intersection(around, {
    x: Math.round(part.x + place.x * across),
    y: Math.round(part.y + place.y * down),
    width: Math.round(place.width * across),
    height: Math.round(place.height * down),
  });
}

const rawOf = ({ data, width, height }: Pixels): Sharp => sharp(data, { raw: { width, height, channels: CHANNELS } });

async function scaled(from: Pixels, { width, height }: Size): Promise<Pixels> {
  return { data: await rawOf(from).resize(width, height, { fit: 'fill' }).raw().toBuffer(), width, height };
}

/** As blurred as it is in an image of which a pixel is so many of the screen's. */
async function asSeen(known: Pixels, pixels: number): Promise<Pixels> {
  if (pixels < 1.05) return known;
  const data = await rawOf(known)
    .blur(Math.max(0.3, 0.45 * pixels))
    .raw()
    .toBuffer();
  return { ...known, data };
}

/** 0 where it is as before, 1 where it is as after: the projection of what is shown on the line between them. */
function wayGone(before: Pixels, after: Pixels, shown: Pixels): number {
  let along = 0;
  let whole = 0;
  for (let at = 0; at < before.data.length; at += 1) {
    const from = before.data[at] as number;
    const way = (after.data[at] as number) - from;
    along += ((shown.data[at] as number) - from) * way;
    whole += way * way;
  }
  return whole === 0 ? 0 : along / whole;
}
