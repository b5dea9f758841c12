// Many readers of one stream in one process, over RTSP and TCP. Says "playing" when each of them has a picture; on
// SIGUSR2 it says as JSON what they have got since, and ends.
//
// usage: node client.js URL READERS
import { AccessUnitReader } from '../../test/support/access-units.js';
import { RtspClient } from '../../test/support/rtsp-client.js';

/** What the readers of one process got. */
export interface Reception {
  /** Pictures of a reader, from the first that all had to the last. */
  readonly pictures: number;
  /** Of those, how many were missing, all readers together. */
  readonly lost: number;
}

const [, , url = '', readers] = process.argv;
const times: number[][] = [];

for (let n = 0; n < Number(readers); n += 1) {
  const client = await RtspClient.open(url);
  const reader = new AccessUnitReader();
  const own: number[] = [];
  times.push(own);
  const first = new Promise<void>((resolve) => {
    client.onPacket((packet, channel) => {
      const unit = channel === 0 ? reader.push(packet) : undefined;
      if (unit) own.push(unit.rtpTime);
      if (own.length === 1) resolve();
    });
  });
  await client.play('RTP/AVP/TCP;unicast;interleaved=0-1');
  await first;
}
process.stdout.write('playing\n');
const beginTime = Math.max(...times.map((own) => own.at(-1) ?? 0));

process.once('SIGUSR2', () => {
  const endTime = Math.min(...times.map((own) => own.at(-1) ?? 0));
  const all = new Set(times.flat().filter((time) => time >= beginTime && time <= endTime));
  const lost = times.reduce((sum, own) => sum + all.size - own.filter((time) => all.has(time)).length, 0);
  process.stdout.write(`${JSON.stringify({ pictures: all.size, lost } satisfies Reception)}\n`, () => process.exit(0));
});
