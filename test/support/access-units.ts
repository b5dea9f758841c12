/** One coded picture, as it came over RTP. */
export interface AccessUnit {
  /** RTP time, 90,000 a second, without the wrap after 2^32. */
  readonly rtpTime: number;
  readonly key: boolean;
  /** Byte-stream format, with start codes. */
  readonly data: Buffer;
}

const START_CODE = Buffer.from([0, 0, 0, 1]);
const IDR = 5;
/** What a unit may begin with: SEI, SPS, AUD (ITU-T H.264, 7.4.1.2.3). */
const BEGINNINGS = [6, 7, 9];
const STAP_A = 24;
const FU_A = 28;

/**
 * Puts access units together from the RTP packets of an H.264 stream (RFC 6184) that arrive in order. A unit that
 * lacks a packet is left out and counted; so is, uncounted, the rest of the unit under way when the reader came.
 */
export class AccessUnitReader {
  /** Units that were left out. */
  incomplete = 0;
  #parts: Buffer[] = [];
  #broken = false;
  /** The rest of a unit that was under way at the beginning. */
  #skipping: boolean | undefined;
  #nextSequence: number | undefined;
  #key = false;
  #rtpTime: number | undefined;

  /** Takes one RTP packet; gives the access unit that it completes. */
  push(packet: Buffer): AccessUnit | undefined {
    const headerBytes = 12 + 4 * (packet.readUInt8(0) & 0x0f);
    const marker = packet.readUInt8(1) >= 0x80;
    const sequence = packet.readUInt16BE(2);
    const rtpTime = unwrap(packet.readUInt32BE(4), this.#rtpTime);
    const lost = this.#nextSequence !== undefined && sequence !== this.#nextSequence;
    if (this.#parts.length > 0 && rtpTime !== this.#rtpTime) this.#leaveOut();
    // Whether the packets before this one belonged to the same unit cannot be known after a loss.
    if (lost) this.#broken = rtpTime === this.#rtpTime || this.#parts.length > 0;
    this.#nextSequence = (sequence + 1) % 2 ** 16;
    this.#rtpTime = rtpTime;
    const payload = packet.subarray(headerBytes);
    this.#skipping ??= !BEGINNINGS.includes(firstNalType(payload));
    if (this.#skipping) {
      this.#skipping = !marker;
      return undefined;
    }
    this.#takePayload(payload);
    if (!marker) return undefined;
    if (this.#broken) {
      this.#leaveOut();
      return undefined;
    }
    const unit = { rtpTime, key: this.#key, data: Buffer.concat(this.#parts) };
    this.#reset();
    return unit;
  }

  #leaveOut(): void {
    this.incomplete += 1;
    this.#reset();
  }

  #reset(): void {
    this.#parts = [];
    this.#key = false;
    this.#broken = false;
  }

  #takePayload(payload: Buffer): void {
    const type = payload.readUInt8(0) & 0x1f;
    if (type === STAP_A) {
      for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at)) {
        this.#begin(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at)));
      }
    } else if (type === FU_A) {
      const [indicator, header] = [payload.readUInt8(0), payload.readUInt8(1)];
      if (header & 0x80) this.#begin(Buffer.from([(indicator & 0xe0) | (header & 0x1f)]));
      this.#parts.push(Buffer.from(payload.subarray(2)));
    } else {
      this.#begin(payload);
    }
  }

  #begin(nal: Buffer): void {
    if ((nal.readUInt8(0) & 0x1f) === IDR) this.#key = true;
    this.#parts.push(START_CODE, Buffer.from(nal));
  }
}

function firstNalType(payload: Buffer): number {
  const type = payload.readUInt8(0) & 0x1f;
  if (type === STAP_A) return payload.readUInt8(3) & 0x1f;
  if (type !== FU_A) return type;
  const header = payload.readUInt8(1);
  return header & 0x80 ? header & 0x1f : 0;
}

function unwrap(time: number, previous: number | undefined): number {
  if (previous === undefined) return time;
  const step = (time - (previous % 2 ** 32) + 2 ** 32) % 2 ** 32;
  return previous + (step >= 2 ** 31 ? step - 2 ** 32 : step);
}

/** Cuts a byte-stream file into access units: at each first slice of a picture, with what stands before it. */
export function splitByteStream(stream: Buffer): Buffer[] {
  const starts: number[] = [];
  let pictureSeen = true;
  for (let at = stream.indexOf('\0\0\x01', 0, 'latin1'); at >= 0; at = stream.indexOf('\0\0\x01', at + 3, 'latin1')) {
    const type = stream.readUInt8(at + 3) & 0x1f;
    const isSlice = type === 1 || type === IDR;
    // first_mb_in_slice is 0, one bit that is set, in the first slice of a picture (ITU-T H.264, 7.3.3).
    const beginsPicture = isSlice && stream.readUInt8(at + 4) >= 0x80;
    if (pictureSeen && (!isSlice || beginsPicture)) {
      starts.push(at);
      pictureSeen = false;
    }
    if (isSlice) pictureSeen = true;
  }
  return starts.map((start, index) => stream.subarray(start, starts[index + 1] ?? stream.length));
}
