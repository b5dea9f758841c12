import type { Registry } from 'prom-client';
import type { WatchSession } from '../session/index.js';

const AGE_BUCKETS_SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** The metrics of one watch: frames by outcome, ages, latencies and tokens. */
export async function watchMetrics({ watch, sampler }: WatchSession): Promise<Registry> {
  const { Counter, Histogram, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  new Counter({
    name: 'cap_frames_sampled_total',
    help: 'Frames decoded from the stream',
    registers,
    collect() {
      this.reset();
      this.inc(sampler.framesSeen);
    },
  });
  new Counter({
    name: 'cap_watch_frames_total',
    help: 'Frames by what became of them; sent are answered and failed',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      const { seen: _, pending: __, ...outcomes } = watch.counts();
      for (const [outcome, count] of Object.entries(outcomes)) this.inc({ outcome }, count);
    },
  });
  const labelNames = ['provider'] as const;
  const tokens = new Counter({
    name: 'cap_tokens_total',
    help: 'Tokens: estimated for the images, and as reported by the provider',
    labelNames: ['provider', 'kind'],
    registers,
  });
  const age = new Histogram({
    name: 'cap_frame_age_seconds',
    help: 'Age of a frame when its request leaves',
    labelNames,
    buckets: AGE_BUCKETS_SECONDS,
    registers,
  });
  const latency = new Histogram({
    name: 'cap_answer_latency_seconds',
    help: 'From the request to the end of the answer',
    labelNames,
    buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
    registers,
  });
  const cost = new Counter({
    name: 'cap_cost_usd_total',
    help: 'US dollars, where the price is known',
    labelNames,
    registers,
  });
  watch.on('answered', (answer, receipt) => {
    const labels = { provider: answer.provider };
    cost.inc(labels, receipt.costUsd ?? 0);
    tokens.inc({ ...labels, kind: 'estimated' }, answer.estimatedTokens);
    tokens.inc({ ...labels, kind: 'input' }, answer.reportedTokens?.inputTokens ?? 0);
    tokens.inc({ ...labels, kind: 'output' }, answer.reportedTokens?.outputTokens ?? 0);
    if (answer.frameAgeMs !== undefined) age.observe(labels, answer.frameAgeMs / 1000);
    latency.observe(labels, answer.latencyMs / 1000);
  });
  return registry;
}
