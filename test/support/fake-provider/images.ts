import sharp from 'sharp';
import type { Refusal } from './refusal.js';

export interface ReceivedImage {
  readonly mediaType: string;
  readonly bytes: number;
  /** As decoded from the bytes, not as claimed. */
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

const MAGIC: Record<string, (data: Buffer) => boolean> = {
  'image/png': (data) => data.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex')),
  'image/jpeg': (data) => data.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')),
  'image/webp': (data) => data.toString('latin1', 0, 4) === 'RIFF' && data.toString('latin1', 8, 12) === 'WEBP',
};

/** Decodes an image as strictly as a real server: clean base64, the media type that it claims, all its pixels. */
export async function receiveImage(
  mediaType: string,
  base64: string,
  accepted: readonly string[],
  refuse: (message: string) => Refusal,
): Promise<ReceivedImage> {
  const hasMagic = MAGIC[mediaType];
  if (!hasMagic || !accepted.includes(mediaType)) throw refuse(`Unsupported media type: ${mediaType}`);
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw refuse('invalid base64 data');
  const data = Buffer.from(base64, 'base64');
  if (!hasMagic(data)) throw refuse(`the image does not match its media type ${mediaType}`);
  const decoded = await sharp(data)
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(() => undefined);
  if (!decoded) throw refuse('Could not process image');
  const { width, height } = decoded.info;
  return { mediaType, bytes: data.length, width, height, data };
}

export function splitDataUrl(url: string, refuse: (message: string) => Refusal): { mediaType: string; base64: string } {
  const match = /^data:([a-z]+\/[a-z]+);base64,(.*)$/s.exec(url);
  if (!match?.[1] || match[2] === undefined) throw refuse('Invalid image_url: expected a base64 data URL');
  return { mediaType: match[1], base64: match[2] };
}
