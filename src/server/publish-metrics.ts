import type { Registry } from 'prom-client';
import type { PublisherStats } from '../session/index.js';
import type { Measured } from './capture-metrics.js';

type Labels = Readonly<Record<string, string>>;

/** Adds the metrics of the servers that streams are pushed to. */
export async function addPublishMetrics(
  registry: Registry,
  labelNames: readonly string[],
  captures: () => Promise<readonly Measured[]>,
): Promise<void> {
  const { Counter, Gauge } = await import('prom-client');
  const shared = { registers: [registry], labelNames: [...labelNames, 'server'] };
  const each = async (): Promise<[Labels, PublisherStats][]> =>
    (await captures()).flatMap(({ labels, stats }) =>
      stats.published.map((published): [Labels, PublisherStats] => [
        { ...labels, server: published.server },
        published,
      ]),
    );
  new Gauge({
    ...shared,
    name: 'cap_publish_connected',
    help: 'Whether a server takes the stream that is pushed to it',
    async collect() {
      const published = await each();
      this.reset();
      for (const [labels, { connected }] of published) this.set(labels, Number(connected));
    },
  });
  const counter = (name: string, help: string, read: (stats: PublisherStats) => number): void => {
    new Counter({
      ...shared,
      name,
      help,
      async collect() {
        const published = await each();
        this.reset();
        for (const [labels, stats] of published) this.inc(labels, read(stats));
      },
    });
  };
  counter('cap_publish_failures_total', 'Connections to a server that failed', ({ failures }) => failures);
  counter('cap_publish_frames_total', 'Frames that a server was sent', ({ delivered }) => delivered);
  counter('cap_publish_frames_dropped_total', 'Frames dropped before a server', ({ dropped }) => dropped);
}
