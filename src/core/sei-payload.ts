import { isUtf8 } from 'node:buffer';
import { unexpected } from './expect.js';
import type { FrameMetadata } from './frame.js';
import type { Rect, Size } from './geometry.js';
import type { GundamLayout } from './gundam-layout.js';

/** The payload's version; readers take no other (docs/sei.md). */
export const SEI_VERSION = 1;

/** Section types of the payload. */
export const SEI_SECTION = { capture: 1, source: 2, plan: 3, gundam: 4, damage: 5, masked: 6 } as const;

const KNOWN_TYPES: readonly number[] = Object.values(SEI_SECTION);

const HEADER_BYTES = 3;
const CAPTURE_BYTES = 32;
const RECT_BYTES = 8;
/** Most rectangles a payload may have in all: bounds what a hostile stream can make us hold. */
const MAX_RECTS = 4096;
const MAX_NAME_BYTES = 32;
/** A name is shown in terminals: a stream may not steer them with it. */
const CONTROL = /\p{Cc}/u;

type FourNumbers = [number, number, number, number];

/** The sections that are the same for every frame of a scale plan. */
export interface StaticSections {
  /** Name of the scale plan, 1 to 32 bytes of UTF-8. */
  readonly plan: string;
  readonly gundam?: GundamLayout | undefined;
  /** Rectangles of the source that are masked; undefined writes no section. */
  readonly masked?: readonly Rect[] | undefined;
}

/** Encodes sections 3, 4 and 6 of the payload, which follow the per-frame ones. Throws CAP_USAGE for what does not fit. */
export function encodeStaticSections({ plan, gundam, masked }: StaticSections): Buffer {
  const name = Buffer.from(plan, 'utf8');
  if (name.length < 1 || name.length > MAX_NAME_BYTES || CONTROL.test(plan)) {
    throw unexpected('the plan name', `1 to ${MAX_NAME_BYTES} bytes without control characters`, plan);
  }
  const rectCount = (gundam ? gundam.tiles.length + 1 : 0) + (masked?.length ?? 0);
  if (rectCount > MAX_RECTS) throw unexpected('the rectangles of a frame', `at most ${MAX_RECTS}`, rectCount);
  const sections = [section(SEI_SECTION.plan, name)];
  if (gundam) sections.push(section(SEI_SECTION.gundam, encodeGundam(gundam)));
  if (masked) sections.push(section(SEI_SECTION.masked, Buffer.concat(masked.map(encodeRect))));
  return Buffer.concat(sections);
}

function section(type: number, content: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(content.length, 1);
  return Buffer.concat([header, content]);
}

function encodeGundam({ columns, rows, tiles, global }: GundamLayout): Buffer {
  if (tiles.length !== columns * rows || columns > 255 || rows > 255) {
    throw unexpected('the Gundam layout', `${columns}x${rows} tiles`, tiles.length);
  }
  return Buffer.concat([Buffer.from([columns, rows]), encodeRect(global), ...tiles.map(encodeRect)]);
}

function encodeRect({ x, y, width, height }: Rect): Buffer {
  const fits = [x, y, width, height].every((px) => Number.isInteger(px) && px >= 0 && px <= 0xffff);
  if (!fits || width === 0 || height === 0) {
    throw unexpected('a rectangle', 'whole pixels up to 65535 and not empty', `${width}x${height}+${x}+${y}`);
  }
  const bytes = Buffer.alloc(RECT_BYTES);
  [x, y, width, height].forEach((px, index) => {
    bytes.writeUInt16BE(px, index * 2);
  });
  return bytes;
}

/**
 * Reads the bytes that follow the UUID of our SEI message. Returns undefined for another version and for
 * anything malformed; never throws, whatever the bytes. Rectangles may lie outside a source that has just
 * been resized: clip them.
 */
export function parseSeiPayload(payload: Buffer): FrameMetadata | undefined {
  const sections = payload[0] === SEI_VERSION ? splitSections(payload) : undefined;
  const capture = sections?.get(SEI_SECTION.capture);
  const source = readSize(sections?.get(SEI_SECTION.source));
  const plan = readName(sections?.get(SEI_SECTION.plan));
  if (!sections || capture?.length !== CAPTURE_BYTES || !source || plan === undefined) return undefined;

  const frameNumber = Number(capture.readBigUInt64BE(0));
  const gundam = readOptional(sections.get(SEI_SECTION.gundam), readGundam);
  const damage = readOptional(sections.get(SEI_SECTION.damage), readRects);
  const masked = readOptional(sections.get(SEI_SECTION.masked), readRects);
  const rectCount = (gundam ? gundam.tiles.length + 1 : 0) + (damage?.length ?? 0) + (masked?.length ?? 0);
  if (gundam === null || damage === null || masked === null) return undefined;
  if (!Number.isSafeInteger(frameNumber) || rectCount > MAX_RECTS) return undefined;
  return {
    frameNumber,
    capturedMonotonicNs: capture.readBigUInt64BE(8),
    capturedWallUs: capture.readBigUInt64BE(16),
    clockId: capture.readBigUInt64BE(24),
    source,
    plan,
    ...(damage && { damage }),
    ...(masked && { masked }),
    ...(gundam && { gundam }),
  };
}

/** The contents of the sections by type; undefined when they do not end with the payload, or a known one is repeated. */
function splitSections(payload: Buffer): Map<number, Buffer> | undefined {
  const sections = new Map<number, Buffer>();
  let at = 1;
  while (at < payload.length) {
    if (at + HEADER_BYTES > payload.length) return undefined;
    const type = payload.readUInt8(at);
    const end = at + HEADER_BYTES + payload.readUInt16BE(at + 1);
    if (end > payload.length) return undefined;
    if (KNOWN_TYPES.includes(type)) {
      if (sections.has(type)) return undefined;
      sections.set(type, payload.subarray(at + HEADER_BYTES, end));
    }
    at = end;
  }
  return sections;
}

/** Undefined when the section is absent, null when it is malformed. */
function readOptional<Part>(
  content: Buffer | undefined,
  read: (content: Buffer) => Part | undefined,
): Part | undefined | null {
  return content === undefined ? undefined : (read(content) ?? null);
}

function readSize(content: Buffer | undefined): Size | undefined {
  if (content?.length !== 4) return undefined;
  const size = { width: content.readUInt16BE(0), height: content.readUInt16BE(2) };
  return size.width > 0 && size.height > 0 ? size : undefined;
}

function readName(content: Buffer | undefined): string | undefined {
  if (!content || content.length < 1 || content.length > MAX_NAME_BYTES || !isUtf8(content)) return undefined;
  const name = content.toString('utf8');
  return CONTROL.test(name) ? undefined : name;
}

function readGundam(content: Buffer): GundamLayout | undefined {
  if (content.length < 2) return undefined;
  const columns = content.readUInt8(0);
  const rows = content.readUInt8(1);
  const [global, ...tiles] = readRects(content.subarray(2)) ?? [];
  const bothOrNone = columns > 0 === rows > 0;
  return global && bothOrNone && tiles.length === columns * rows ? { columns, rows, tiles, global } : undefined;
}

function readRects(content: Buffer): Rect[] | undefined {
  if (content.length % RECT_BYTES !== 0 || content.length / RECT_BYTES > MAX_RECTS) return undefined;
  const rects: Rect[] = [];
  for (let at = 0; at < content.length; at += RECT_BYTES) {
    const [x, y, width, height] = [0, 2, 4, 6].map((offset) => content.readUInt16BE(at + offset)) as FourNumbers;
    if (width === 0 || height === 0) return undefined;
    rects.push({ x, y, width, height });
  }
  return rects;
}
