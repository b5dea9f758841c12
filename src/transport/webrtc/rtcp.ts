import type { RtcpReport } from '../reader-report.js';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const PAYLOAD_SPECIFIC_FEEDBACK = 206;
const PICTURE_LOSS_INDICATION = 1;
const FULL_INTRA_REQUEST = 4;
const APPLICATION_LAYER_FEEDBACK = 15;
const REPORT_BLOCK_BYTES = 24;
const VIDEO_TICKS_PER_MS = 90;

interface RtcpPacket {
  readonly type: number;
  /** Count of report blocks, or format of feedback. */
  readonly format: number;
  /** With the header. */
  readonly bytes: Buffer;
}

function* packetsOf(compound: Buffer): Generator<RtcpPacket> {
  for (let at = 0; at + 4 <= compound.length; ) {
    const end = at + 4 + compound.readUInt16BE(at + 2) * 4;
    if (end > compound.length) return;
    yield {
      type: compound.readUInt8(at + 1),
      format: compound.readUInt8(at) & 0x1f,
      bytes: compound.subarray(at, end),
    };
    at = end;
  }
}

/** Whether a compound RTCP packet asks for a key frame (RFC 4585 and 5104). */
export function asksForKeyFrame(compound: Buffer): boolean {
  return [...packetsOf(compound)].some(
    ({ type, format }) =>
      type === PAYLOAD_SPECIFIC_FEEDBACK && (format === PICTURE_LOSS_INDICATION || format === FULL_INTRA_REQUEST),
  );
}

/** What a compound RTCP packet reports of our packets of that source (RFC 3550, 6.4.1). */
export function reportOn(ssrc: number, compound: Buffer): RtcpReport | undefined {
  for (const { type, format, bytes } of packetsOf(compound)) {
    if (type !== SENDER_REPORT && type !== RECEIVER_REPORT) continue;
    const first = type === SENDER_REPORT ? 28 : 8;
    for (let at = first; at < first + format * REPORT_BLOCK_BYTES; at += REPORT_BLOCK_BYTES) {
      if (at + REPORT_BLOCK_BYTES > bytes.length || bytes.readUInt32BE(at) !== ssrc) continue;
      return {
        packetsLost: bytes.readIntBE(at + 5, 3),
        highestSequence: bytes.readUInt32BE(at + 8),
        jitterMs: bytes.readUInt32BE(at + 12) / VIDEO_TICKS_PER_MS,
      };
    }
  }
  return undefined;
}

/** What the receiver's congestion control allows, if the compound RTCP packet says so (REMB). */
export function estimateOf(compound: Buffer): number | undefined {
  for (const { type, format, bytes } of packetsOf(compound)) {
    if (type !== PAYLOAD_SPECIFIC_FEEDBACK || format !== APPLICATION_LAYER_FEEDBACK || bytes.length < 20) continue;
    if (bytes.toString('latin1', 12, 16) !== 'REMB') continue;
    const exponent = bytes.readUInt8(17) >> 2;
    const mantissa = bytes.readUIntBE(17, 3) & 0x3ffff;
    return (mantissa * 2 ** exponent) / 1000;
  }
  return undefined;
}
