import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { native, Pipeline } from '../../src/native/index.js';
import { splitByteStream } from '../support/access-units.js';
import { serveCapture } from '../support/capture.js';
import { RtspClient } from '../support/rtsp-client.js';
import { metadataOf } from '../support/unit-metadata.js';

const folder = mkdtempSync(join(tmpdir(), 'cap-rtp-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** RTP packets of a stream, from the first one of a key frame on. */
let packets: Buffer[];
beforeAll(async () => {
  const size = { width: 640, height: 360 };
  await using capture = await serveCapture({ source: { kind: 'test', pattern: 'noise', size } });
  await using client = await RtspClient.open(capture.url);
  const received: Buffer[] = [];
  client.onPacket((packet, channel) => {
    if (channel === 0) received.push(Buffer.from(packet));
  });
  await client.play('RTP/AVP/TCP;unicast;interleaved=0-1');
  const isMarked = (packet: Buffer | undefined): boolean => (packet?.readUInt8(1) ?? 0) >= 0x80;
  await vi.waitFor(() => expect(received.filter(isMarked).length).toBeGreaterThan(5), { timeout: 20_000 });
  packets = received.slice(received.findIndex(isMarked) + 1);
});

/** What the depayloader makes of the packets from the `from`th on. */
async function unitsFrom(from: number): Promise<Buffer[]> {
  const [input, output] = [join(folder, 'in.rtp'), join(folder, 'out.h264')];
  // RFC 4571: each packet after its length.
  const framed = packets.slice(from).map((packet) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(packet.length);
    return Buffer.concat([length, packet]);
  });
  writeFileSync(input, Buffer.concat(framed));
  const pipeline = new Pipeline(
    'filesrc name=in ! application/x-rtp-stream,media=video,clock-rate=90000,encoding-name=H264 ! rtpstreamdepay ' +
      '! rtph264depay name=depay ! video/x-h264,stream-format=byte-stream,alignment=au ! filesink name=out',
    { in: { location: input }, out: { location: output } },
  );
  try {
    native((addon) => addon.dropUntilAccessUnit(pipeline.native, 'depay'));
    const ended = new Promise((resolve) => pipeline.on('ended', () => resolve(undefined)));
    await pipeline.play();
    await ended;
  } finally {
    await pipeline.close();
  }
  return splitByteStream(readFileSync(output));
}

test('a stream that is joined at the first packet of a picture begins there', async () => {
  const [first] = await unitsFrom(0);
  expect(metadataOf(first as Buffer).frameNumber).toBeGreaterThanOrEqual(0);
});

test.each([1, 2, 3, 5])(
  'joined %i packets later, it begins with the next picture, and all that belongs to it',
  async (late) => {
    const all = (await unitsFrom(0)).map((unit) => metadataOf(unit).frameNumber);
    const numbers = (await unitsFrom(late)).map((unit) => metadataOf(unit).frameNumber);
    expect(numbers).toEqual(all.slice(1));
  },
);
