import { expect, test } from 'vitest';
import { asksForKeyFrame, estimateOf, reportOn } from '../../../src/transport/webrtc/rtcp.js';

const OURS = 0xcafe_0001;

function packet(type: number, format: number, body: Buffer): Buffer {
  const head = Buffer.from([0x80 | format, type, 0, 0]);
  head.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([head, body]);
}

function block(ssrc: number, lost: number, highest: number, jitter: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32BE(ssrc, 0);
  bytes.writeIntBE(lost, 5, 3);
  bytes.writeUInt32BE(highest, 8);
  bytes.writeUInt32BE(jitter, 12);
  return bytes;
}

const ssrc = Buffer.alloc(4);
const others = block(7, 1, 2, 3);
const ours = block(OURS, -3, 70_000, 900);
const report = { packetsLost: -3, highestSequence: 70_000, jitterMs: 10 };

test('the block about our source is found in a receiver report and in a sender report', () => {
  expect(reportOn(OURS, packet(201, 2, Buffer.concat([ssrc, others, ours])))).toEqual(report);
  expect(reportOn(OURS, packet(200, 1, Buffer.concat([ssrc, Buffer.alloc(20), ours])))).toEqual(report);
  expect(reportOn(OURS, packet(201, 1, Buffer.concat([ssrc, others])))).toBeUndefined();
});

test('the estimate of REMB is in kbit/s', () => {
  const body = Buffer.concat([ssrc, ssrc, Buffer.from('REMB'), Buffer.from([1, (3 << 2) | 1, 0x86, 0xa0]), ssrc]);
  expect(estimateOf(packet(206, 15, body))).toBe((0x186a0 * 8) / 1000);
  expect(estimateOf(packet(206, 1, body))).toBeUndefined();
});

test('what is cut off, or claims to be longer than it is, is nothing', () => {
  const whole = packet(201, 1, Buffer.concat([ssrc, ours]));
  for (let length = 0; length < whole.length; length++) {
    expect(reportOn(OURS, whole.subarray(0, length))).toBeUndefined();
  }
  const tooMany = packet(201, 31, Buffer.concat([ssrc, others]));
  expect(reportOn(OURS, tooMany)).toBeUndefined();
  expect(estimateOf(Buffer.from([0x8f, 206, 0, 9, 1, 2, 3, 4]))).toBeUndefined();
});

test('a request for a key frame is found behind a report', () => {
  const compound = Buffer.concat([packet(201, 0, ssrc), packet(206, 1, Buffer.alloc(8))]);
  expect(asksForKeyFrame(compound)).toBe(true);
  expect(asksForKeyFrame(packet(201, 0, ssrc))).toBe(false);
});
