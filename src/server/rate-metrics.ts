import type { Registry } from 'prom-client';
import type { StreamRate } from '../session/index.js';
import type { Measured } from './capture-metrics.js';

/** Adds what bounds the bits of each stream that is encoded here: with the quality `auto` it follows its readers. */
export async function addRateMetrics(
  registry: Registry,
  labelNames: readonly string[],
  captures: () => Promise<readonly Measured[]>,
): Promise<void> {
  const { Gauge } = await import('prom-client');
  const gauge = (name: string, help: string, read: (rate: StreamRate) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      labelNames: [...labelNames],
      async collect() {
        const measured = await captures();
        this.reset();
        for (const { labels, stats } of measured) if (stats.rate) this.set(labels, read(stats.rate));
      },
    });
  };
  gauge('cap_bitrate_limit_bits_per_second', 'Most bits a second at present', (rate) => rate.maxBitrateKbps * 1000);
  gauge('cap_frame_rate_limit_hertz', 'Most frames a second at present', ({ fps }) => fps);
}
