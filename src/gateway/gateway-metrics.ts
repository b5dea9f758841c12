import type { Registry } from 'prom-client';
import { type Health, measuredRegistry, oncePerScrape } from '../server/index.js';
import type { Gateway } from './gateway.js';

/** The metrics of a gateway: those of a capture, with its path as the label `mount`, and how its processes fare. */
export async function gatewayMetrics(gateway: Gateway): Promise<Registry> {
  const status = oncePerScrape(() => gateway.status());
  const registry = await measuredRegistry({
    labelNames: ['mount'],
    rtsp: true,
    // A configuration that is read again may add it.
    http: true,
    measure: async () => {
      const { mounts, rtsp, http } = await status();
      const captures = mounts.flatMap(({ path, capture }) =>
        capture ? [{ labels: { mount: path }, stats: capture, path }] : [],
      );
      return { captures, rtsp, http };
    },
  });
  const { Counter, Gauge } = await import('prom-client');
  const registers = [registry];
  new Gauge({
    name: 'cap_mount_up',
    help: '1 while the mount has its source, 0 while that is away',
    labelNames: ['mount'],
    registers,
    async collect() {
      this.reset();
      for (const { path, state } of (await status()).mounts) this.set({ mount: path }, state === 'running' ? 1 : 0);
    },
  });
  new Counter({
    name: 'cap_capture_deaths_total',
    help: "Times that the mount's process died",
    labelNames: ['mount'],
    registers,
    async collect() {
      this.reset();
      for (const { path, deaths } of (await status()).mounts) this.inc({ mount: path }, deaths);
    },
  });
  new Counter({
    name: 'cap_door_deaths_total',
    help: 'Times that the process that serves readers died',
    registers,
    async collect() {
      this.reset();
      this.inc((await status()).doorDeaths);
    },
  });
  return registry;
}

/** Ready: every mount has its source, and readers are served. */
export async function gatewayHealth(gateway: Gateway): Promise<Health> {
  const { mounts, rtsp } = await gateway.status();
  const away = mounts.filter(({ state }) => state !== 'running');
  return {
    ready: away.length === 0 && rtsp !== undefined,
    serves: rtsp !== undefined,
    away: away.map(({ path, state, error }) => ({ path, state, error: error?.message })),
  };
}
