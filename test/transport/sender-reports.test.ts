import { expect, test, vi } from 'vitest';
import { serveCapture } from '../support/capture.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { metadataOf } from '../support/unit-metadata.js';

const SENDER_REPORT = 200;
const NTP_TO_UNIX_SECONDS = 2_208_988_800;
const RTP_HZ = 90_000;

interface SenderReport {
  readonly wallUs: number;
  readonly rtpTime: number;
}

/** RFC 3550, 6.4.1; undefined for other RTCP packets. */
function readSenderReport(packet: Buffer): SenderReport | undefined {
  if (packet.readUInt8(1) !== SENDER_REPORT) return undefined;
  const seconds = packet.readUInt32BE(8) - NTP_TO_UNIX_SECONDS;
  return { wallUs: seconds * 1e6 + (packet.readUInt32BE(12) / 2 ** 32) * 1e6, rtpTime: packet.readUInt32BE(16) };
}

/** The difference of two RTP times, either of which may have wrapped. */
const ticksBetween = (from: number, to: number): number => ((to - from) << 0) as number;

test('RTP times and sender reports give the wall time of capture', async () => {
  await using capture = await serveCapture();
  await using player = await RtspPlayer.overTcp(capture.url);
  const reports: SenderReport[] = [];
  player.client.onPacket((packet, channel) => {
    const report = channel === 1 ? readSenderReport(packet) : undefined;
    if (report) reports.push(report);
  });
  // The second one comes some five seconds after the first: a drift would show.
  await vi.waitFor(() => expect(reports.length).toBeGreaterThanOrEqual(2), { timeout: 30_000 });
  await player.waitForUnits(5);
  for (const report of reports) {
    const errorsMs = player.units.map((unit) => {
      const wallUs = report.wallUs + (ticksBetween(report.rtpTime, unit.rtpTime) / RTP_HZ) * 1e6;
      return Math.abs(wallUs - Number(metadataOf(unit.data).capturedWallUs)) / 1000;
    });
    // A time stamp has a grain of 1/90,000 s; the wall and the monotonic clock are read one after the other.
    expect(Math.max(...errorsMs)).toBeLessThan(2);
  }
});
