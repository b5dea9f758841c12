import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { type ProcessUsage, readProcessUsage } from '../support/process-usage.js';
import { RtspPlayer } from '../support/rtsp-player.js';

const WARM_UP = 40;
const CYCLES = 200;
/**
 * What 200 cycles may add to the resident memory. The allocators' own ups and downs stay within 8 MiB; keeping no more
 * than one joiner's queue of a few access units each time would cost about as much again.
 */
const MOST_GROWTH_BYTES = 16 << 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function usage(): ProcessUsage {
  collectGarbage();
  return readProcessUsage(process.pid);
}

async function noReaders({ server }: ServedCapture): Promise<void> {
  await vi.waitFor(() => expect(server.stats.readers).toEqual([]), { timeout: 10_000 });
}

test('200 readers that come and go, in every way, leave nothing behind', async () => {
  await using capture = await serveCapture();
  const cycle = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done++) {
      const reader = await RtspPlayer.overTcp(capture.url);
      if (done % 4 > 0) await reader.waitForUnits(1);
      if (done % 2 === 0) await reader.teardown();
      else await reader.client.destroy();
    }
    await noReaders(capture);
  };
  await cycle(WARM_UP);
  const before = usage();
  await cycle(CYCLES);
  await vi.waitFor(() => expect(usage().descriptors).toBeLessThanOrEqual(before.descriptors), { timeout: 10_000 });
  const after = usage();
  expect(after.threads).toBeLessThanOrEqual(before.threads);
  expect(after.rssBytes - before.rssBytes).toBeLessThan(MOST_GROWTH_BYTES);
  expect(capture.server.stats).toMatchObject({ readersTotal: WARM_UP + CYCLES, readersDropped: 0 });
});

test('20 samplers that come and go leave nothing behind', async () => {
  await using capture = await serveCapture();
  const cycle = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done++) {
      const sampler = new Sampler(capture.url, { protocol: done % 2 === 0 ? 'tcp' : 'udp' });
      const frame = await sampler.next();
      expect(frame.metadata?.plan).toBe('source');
      await sampler.close();
    }
    await noReaders(capture);
  };
  await cycle(6);
  const before = usage();
  await cycle(20);
  await vi.waitFor(() => expect(usage().descriptors).toBeLessThanOrEqual(before.descriptors), { timeout: 10_000 });
  const after = usage();
  expect(after.threads).toBeLessThanOrEqual(before.threads);
  expect(after.rssBytes - before.rssBytes).toBeLessThan(MOST_GROWTH_BYTES);
});
