/** A size in whole pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in whole pixels; the origin is the top left corner. */
export interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}

/** Parses `1920x1080`; returns undefined for anything that is not two positive integers. */
export function parseSize(text: string): Size | undefined {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text);
  return match ? { width: Number(match[1]), height: Number(match[2]) } : undefined;
}

/** Parses X geometry, `WxH+X+Y`; returns undefined when it is malformed. */
export function parseRegion(text: string): Rect | undefined {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})\+(\d{1,5})\+(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  return { width: Number(match[1]), height: Number(match[2]), x: Number(match[3]), y: Number(match[4]) };
}

/** `1920x1080`. */
export function formatSize(size: Size): string {
  return `${size.width}x${size.height}`;
}

/** X geometry: `1280x720+100+50`. */
export function formatRegion(rect: Rect): string {
  return `${formatSize(rect)}+${rect.x}+${rect.y}`;
}

/** Whether `inner` lies wholly inside a picture of `outer`'s size. */
export function fitsInside(inner: Rect, outer: Size): boolean {
  return inner.x + inner.width <= outer.width && inner.y + inner.height <= outer.height;
}
