import type { FrameMetadata, Rect } from '../../src/core/index.js';
import { SEI_SECTION, SEI_VERSION } from '../../src/core/sei-payload.js';

/** One section of the SEI payload, unchecked. */
export function seiSection(type: number, content: Buffer): Buffer {
  const header = Buffer.from([type, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([header, content]);
}

function rectBytes({ x, y, width, height }: Rect): Buffer {
  return Buffer.from([x, y, width, height].flatMap((px) => [px >> 8, px & 0xff]));
}

/** A whole SEI payload as docs/sei.md has it, without any check, so that malformed ones can be made too. */
export function encodeSeiPayload(metadata: FrameMetadata): Buffer {
  const { source, plan, gundam, damage, masked } = metadata;
  const capture = Buffer.alloc(32);
  const numbers = [
    BigInt(metadata.frameNumber),
    metadata.capturedMonotonicNs,
    metadata.capturedWallUs,
    metadata.clockId,
  ];
  numbers.forEach((number, index) => {
    capture.writeBigUInt64BE(number, index * 8);
  });
  const size = Buffer.alloc(4);
  size.writeUInt16BE(source.width, 0);
  size.writeUInt16BE(source.height, 2);
  const parts = [
    Buffer.from([SEI_VERSION]),
    seiSection(SEI_SECTION.capture, capture),
    seiSection(SEI_SECTION.source, size),
    seiSection(SEI_SECTION.plan, Buffer.from(plan)),
  ];
  if (gundam) {
    const grid = Buffer.from([gundam.columns, gundam.rows]);
    const layout = Buffer.concat([grid, rectBytes(gundam.global), ...gundam.tiles.map(rectBytes)]);
    parts.push(seiSection(SEI_SECTION.gundam, layout));
  }
  if (damage) parts.push(seiSection(SEI_SECTION.damage, Buffer.concat(damage.map(rectBytes))));
  if (masked) parts.push(seiSection(SEI_SECTION.masked, Buffer.concat(masked.map(rectBytes))));
  return Buffer.concat(parts);
}
