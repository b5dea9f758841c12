import type { Registry } from 'prom-client';
import type { RedactionStats } from '../session/index.js';
import type { Measured } from './capture-metrics.js';
import { addSampled } from './sampled-metric.js';

/** Adds what is masked, in numbers alone: what a line said, or a window's title, is nowhere. */
export async function addRedactionMetrics(
  registry: Registry,
  labelNames: readonly string[],
  captures: () => Promise<readonly Measured[]>,
): Promise<void> {
  const add = (
    kind: 'Counter' | 'Gauge',
    name: string,
    help: string,
    read: (stats: RedactionStats) => number,
  ): Promise<void> =>
    addSampled(registry, {
      ...{ kind, name, help, labelNames },
      sample: async () =>
        (await captures()).flatMap(({ labels, stats }) =>
          stats.redaction ? [[labels, read(stats.redaction)] as const] : [],
        ),
    });
  await add('Gauge', 'cap_redacted_pixels', 'Pixels of the source that are masked', (stats) => stats.maskedPixels);
  await add('Gauge', 'cap_redaction_unread_pixels', 'Pixels that changed and were not read', (s) => s.unreadPixels);
  await add('Counter', 'cap_redacted_lines_total', 'Lines found that are to be masked', ({ matches }) => matches);
  await add('Counter', 'cap_redaction_reads_total', 'Pictures read for redaction', ({ reads }) => reads);
  await add('Counter', 'cap_redaction_read_seconds_total', 'Time that took, summed', (stats) => stats.readSeconds);
  await add('Counter', 'cap_redaction_failures_total', 'Pictures that could not be read', ({ failures }) => failures);
}
