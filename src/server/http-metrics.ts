import type { Registry } from 'prom-client';
import type { Measurement } from './capture-metrics.js';
import { HTTP_READERS, type HttpStats } from './open-http.js';

/** Adds the metrics of what is served over HTTP. */
export async function addHttpMetrics(
  registry: Registry,
  labelNames: readonly string[],
  now: () => Promise<Measurement>,
): Promise<void> {
  const { Counter, Gauge } = await import('prom-client');
  const registers = [registry];
  const counter = (name: string, help: string, read: (stats: HttpStats) => number): void => {
    new Counter({
      name,
      help,
      registers,
      async collect() {
        const { http } = await now();
        this.reset();
        if (http) this.inc(read(http));
      },
    });
  };
  counter('cap_http_logins_failed_total', 'Wrong logins, and tries while blocked', (stats) => stats.failedLogins);
  counter('cap_webrtc_peers_joined_total', 'WebRTC peers that ever came', ({ webrtc }) => webrtc.peersTotal);
  counter('cap_webrtc_peers_dropped_total', 'WebRTC peers that fell silent', ({ webrtc }) => webrtc.peersDropped);
  counter('cap_webrtc_peers_refused_total', 'Times that there was no room', ({ webrtc }) => webrtc.peersRefused);
  new Gauge({
    name: 'cap_http_readers',
    help: 'Readers over HTTP now: by WebRTC, and of MPEG-TS',
    registers,
    labelNames: [...labelNames, 'door'],
    async collect() {
      const { captures, http } = await now();
      this.reset();
      for (const { labels, path } of captures) {
        const own = (http?.streams ?? []).filter((stream) => path === undefined || stream.path === path);
        for (const door of HTTP_READERS) {
          this.set(
            { ...labels, door },
            own.reduce((sum, { readers }) => sum + (readers[door] ?? 0), 0),
          );
        }
      }
    },
  });
}
