import type { Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

export interface SampledMetric {
  readonly kind: 'Counter' | 'Gauge';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** What it is at a scrape; values of the same labels are added up. */
  sample(): Promise<Iterable<readonly [labels: Labels, value: number]>>;
}

/** Adds a metric that is read anew at each scrape. */
export async function addSampled(registry: Registry, metric: SampledMetric): Promise<void> {
  const { kind, name, help, labelNames, sample } = metric;
  const prometheus = await import('prom-client');
  new prometheus[kind]({
    name,
    help,
    registers: [registry],
    labelNames: [...labelNames],
    async collect() {
      const samples = await sample();
      this.reset();
      for (const [labels, value] of samples) this.inc(labels, value);
    },
  });
}
