import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { selfSignedIdentity } from '../../src/transport/index.js';
import { type ServedCapture, serveCapture, testPicture } from '../support/capture.js';
import { type ProcessUsage, readProcessUsage } from '../support/process-usage.js';
import { RtspPlayer } from '../support/rtsp-player.js';

const WARM_UP = 40;
/** A joiner's few access units kept each time would cost about as much; the allocators' own ups and downs are half of it. */
const MOST_GROWTH_BYTES = 16 << 20;

const SAMPLERS = 20;
/** One 720p picture kept each time would cost 28 MB and more, and their threads' arenas go up and down by 20. */
const MOST_SAMPLER_GROWTH_BYTES = 32 << 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const usage = (): ProcessUsage => readProcessUsage(process.pid);

/** Once JavaScript's garbage, and what it still holds, is gone. */
async function cleanUsage(): Promise<ProcessUsage> {
  collectGarbage();
  await new Promise((resolve) => setImmediate(resolve)); // finalizers run between
  return usage();
}

async function noReaders({ server }: ServedCapture): Promise<void> {
  await vi.waitFor(() => expect(server.stats.readers).toEqual([]), { timeout: 10_000 });
}

async function expectBack(before: ProcessUsage): Promise<void> {
  await vi.waitFor(
    () => {
      const now = usage();
      expect(now.descriptors).toBeLessThanOrEqual(before.descriptors);
      expect(now.threads).toBeLessThanOrEqual(before.threads);
    },
    { timeout: 10_000 },
  );
}

test.each([
  { cycles: 200, protocol: 'tcp' },
  { cycles: 60, protocol: 'tls' },
])('$cycles readers over $protocol that come and go, in every way, leave nothing behind', async (options) => {
  const { cycles, protocol } = options;
  const folder = mkdtempSync(join(tmpdir(), 'cap-join-'));
  const identity = await selfSignedIdentity(folder);
  rmSync(folder, { recursive: true });
  await using capture = await serveCapture({ rtsp: { port: 0, tls: { ...identity, port: 0 } } });
  const [plainUrl = '', secureUrl = ''] = capture.server.urls('/cap');
  const url = protocol === 'tls' ? secureUrl : plainUrl;
  const cycle = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done++) {
      const reader = await RtspPlayer.overTcp(url, { certificate: identity.certificate });
      if (done % 4 > 0) await reader.waitForUnits(1);
      if (done % 2 === 0) await reader.teardown();
      else await reader.client.destroy();
    }
    await noReaders(capture);
  };
  await cycle(WARM_UP);
  const before = await cleanUsage();
  await cycle(cycles);
  await expectBack(before);
  expect((await cleanUsage()).rssBytes - before.rssBytes).toBeLessThan(MOST_GROWTH_BYTES);
  expect(capture.server.stats).toMatchObject({ readersTotal: WARM_UP + cycles, readersDropped: 0 });
});

test('samplers that come and go leave nothing behind', async () => {
  await using capture = await serveCapture({ source: testPicture({ width: 1280, height: 720 }) });
  const cycle = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done++) {
      const sampler = new Sampler(capture.url, { protocol: done % 2 === 0 ? 'tcp' : 'udp' });
      const frame = await sampler.next();
      expect(frame.metadata?.plan).toBe('source');
      await sampler.close();
    }
    await noReaders(capture);
  };
  await cycle(SAMPLERS);
  const before = await cleanUsage();
  await cycle(SAMPLERS);
  await expectBack(before);
  expect((await cleanUsage()).rssBytes - before.rssBytes).toBeLessThan(MOST_SAMPLER_GROWTH_BYTES);
});
