// When a picture was captured, from the SEI message that cap puts into each access unit: docs/sei.md.

const UUID = [0x7c, 0x1e, 0x5f, 0x2a, 0x9b, 0x64, 0x4d, 0x0e, 0x8a, 0x37, 0xc4, 0xa9, 0xf0, 0xd1, 0x5e, 0x62];
const SEI_NAL = 6;
const SLICE_NALS = [1, 5];
const USER_DATA_UNREGISTERED = 5;
const CAPTURE_SECTION = 1;

/**
 * Milliseconds since 1970 by the clock of the machine that captured; undefined where the stream has no such message.
 * @param {Uint8Array} unit an access unit in byte-stream format
 */
export function capturedAt(unit) {
  for (let at = nextNal(unit, 0); at < unit.length; at = nextNal(unit, at)) {
    const type = unit[at] & 0x1f;
    // It stands before the first slice.
    if (SLICE_NALS.includes(type)) return undefined;
    const found = type === SEI_NAL ? fromSei(withoutEmulation(unit, at + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where the next NAL unit begins, behind its start code. */
function nextNal(bytes, from) {
  for (let at = from; at + 3 < bytes.length; at += 1) {
    if (bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1) return at + 3;
  }
  return bytes.length;
}

function withoutEmulation(bytes, from) {
  const clean = [];
  let zeros = 0;
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (zeros >= 2 && byte <= 1) break; // the next start code
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    clean.push(byte);
  }
  return Uint8Array.from(clean);
}

function fromSei(bytes) {
  let at = 0;
  const number = () => {
    let value = 0;
    while (bytes[at] === 0xff) {
      value += 255;
      at += 1;
    }
    value += bytes[at] ?? 0;
    at += 1;
    return value;
  };
  while (at + 2 < bytes.length) {
    const type = number();
    const size = number();
    const payload = bytes.subarray(at, at + size);
    if (type === USER_DATA_UNREGISTERED && UUID.every((byte, index) => payload[index] === byte)) {
      return fromPayload(payload.subarray(UUID.length));
    }
    at += size;
  }
  return undefined;
}

function fromPayload(payload) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (payload[0] !== 1) return undefined;
  for (let at = 1; at + 3 <= payload.length; at += 3 + view.getUint16(at + 1)) {
    const whole = at + 3 + 32 <= payload.length;
    if (payload[at] === CAPTURE_SECTION && whole) return Number(view.getBigUint64(at + 3 + 16)) / 1000;
  }
  return undefined;
}
