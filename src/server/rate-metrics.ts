import type { Registry } from 'prom-client';
import type { StreamRate } from '../session/index.js';
import type { Measured } from './capture-metrics.js';
import { addSampled } from './sampled-metric.js';

/** Adds what bounds the bits of each stream that is encoded here: with the quality `auto` it follows its readers. */
export async function addRateMetrics(
  registry: Registry,
  labelNames: readonly string[],
  captures: () => Promise<readonly Measured[]>,
): Promise<void> {
  const gauge = (name: string, help: string, read: (rate: StreamRate) => number): Promise<void> =>
    addSampled(registry, {
      ...{ kind: 'Gauge', name, help, labelNames },
      sample: async () =>
        (await captures()).flatMap(({ labels, stats: { rate } }) => (rate ? [[labels, read(rate)] as const] : [])),
    });
  await gauge(
    'cap_bitrate_limit_bits_per_second',
    'Most bits a second at present',
    (rate) => rate.maxBitrateKbps * 1000,
  );
  await gauge('cap_frame_rate_limit_hertz', 'Most frames a second at present', ({ fps }) => fps);
}
