import sharp from 'sharp';
import { gundamGrid, type Rect, type Size } from '../../src/core/index.js';
import type { Pixels } from './pixels.js';
import type { Sent } from './recording-adaptor.js';

/** An image that was sent, and which part of the screen it shows. */
export interface SeenPart {
  readonly image: Sent['images'][number];
  readonly part: Rect;
}

/** The images of a request: the whole screen, parts of it, or the views of a Gundam composite. */
export function seenParts({ images, delta }: Sent, screen: Size): SeenPart[] {
  const whole = { x: 0, y: 0, ...screen };
  if (delta) {
    const [across, down] = [screen.width / delta.whole.width, screen.height / delta.whole.height];
    return delta.regions.flatMap(({ x, y, width, height }, index) => {
      const image = images[index];
      return image
        ? [{ image, part: { x: x * across, y: y * down, width: width * across, height: height * down } }]
        : [];
    });
  }
  const [first, ...tiles] = images;
  if (!first) return [];
  const { columns } = gundamGrid(screen, { maxCrops: 9 });
  const rows = Math.ceil(tiles.length / Math.max(1, columns));
  const views = tiles.map((image, index) => {
    const column = index % columns;
    const row = Math.floor(index / columns);
    const x = Math.round((column * screen.width) / columns);
    const y = Math.round((row * screen.height) / rows);
    const right = Math.round(((column + 1) * screen.width) / columns);
    const bottom = Math.round(((row + 1) * screen.height) / rows);
    return { image, part: { x, y, width: right - x, height: bottom - y } };
  });
  return [{ image: first, part: whole }, ...views];
}

/** A rectangle of the screen in the pixels of an image; at least 2 a side. */
export function inImage({ image, part }: SeenPart, rect: Rect): Rect {
  const [across, down] = [image.width / part.width, image.height / part.height];
  const x = Math.min(image.width - 2, Math.max(0, Math.round((rect.x - part.x) * across)));
  const y = Math.min(image.height - 2, Math.max(0, Math.round((rect.y - part.y) * down)));
  return {
    x,
    y,
    width: Math.max(2, Math.min(image.width - x, Math.round(rect.width * across))),
    height: Math.max(2, Math.min(image.height - y, Math.round(rect.height * down))),
  };
}

export async function cutImage(data: Buffer, { x, y, width, height }: Rect): Promise<Pixels> {
  const cut = sharp(data).removeAlpha().extract({ left: x, top: y, width, height });
  return { data: await cut.raw().toBuffer(), width, height };
}
