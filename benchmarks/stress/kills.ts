import { eventually } from '../../test/support/eventually.js';
import { ServedConfig, TEST_MOUNT } from '../../test/support/gateway.js';
import { RtspPlayer } from '../../test/support/rtsp-player.js';
import { median } from '../median.js';

export interface KillsReport {
  /** Milliseconds from the kill to the next picture at the reader that waited longest, for each kill. */
  readonly backMs: readonly number[];
  readonly medianMs: number;
  /** Readers that lost their connection. */
  readonly lost: number;
  /** Pictures whose time was not after the one before. */
  readonly outOfOrder: number;
  readonly pictures: number;
}

/** Kills the capture process of a gateway again and again, under the eyes of readers. */
export async function killCaptures(times: number, readers: number): Promise<KillsReport> {
  await using gateway = await ServedConfig.start(`[mounts.a]\n${TEST_MOUNT}`);
  await gateway.waitForPicture('/a');
  const players: RtspPlayer[] = [];
  try {
    for (let n = 0; n < readers; n += 1) players.push(await RtspPlayer.overTcp(gateway.url('/a')));
    let lost = 0;
    for (const { client } of players) void client.closed.then(() => (lost += 1));
    const backMs: number[] = [];
    for (let n = 0; n < times; n += 1) {
      await Promise.all(players.map((player) => player.waitForUnits(5)));
      const [worker] = gateway.workers('of /a');
      if (worker === undefined) throw new Error('there is no capture to kill');
      const seen = players.map(({ units }) => units.length);
      process.kill(worker, 'SIGKILL');
      const startedMs = performance.now();
      // What the old one had sent is still on its way; the new one begins with a key frame.
      await eventually(() => {
        const waiting = players.filter(({ units }, at) => !units.slice(seen[at]).some(({ key }) => key));
        if (waiting.length > 0) throw new Error(`${waiting.length} readers get no picture any more`);
      });
      backMs.push(performance.now() - startedMs);
    }
    const pictures = players.map(({ units }) => units.map(({ rtpTime }) => rtpTime));
    return {
      backMs,
      medianMs: median(backMs),
      lost,
      outOfOrder: pictures.reduce((sum, list) => sum + disorder(list), 0),
      pictures: pictures.reduce((sum, { length }) => sum + length, 0),
    };
  } finally {
    for (const player of players) await player[Symbol.asyncDispose]();
  }
}

const disorder = (times: readonly number[]): number => times.filter((time, n) => time <= (times[n - 1] ?? -1)).length;
