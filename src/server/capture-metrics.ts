import type { Registry } from 'prom-client';
import type { AudioStats, CaptureSession, CaptureStats, MonitorStreams, RtspServer } from '../session/index.js';
import { addHttpMetrics } from './http-metrics.js';
import { oncePerScrape } from './once-per-scrape.js';
import type { HttpStats, OpenedHttp } from './open-http.js';
import { addPublishMetrics } from './publish-metrics.js';
import { addRateMetrics } from './rate-metrics.js';
import { addRecordingMetrics } from './recording-metrics.js';
import { addRedactionMetrics } from './redaction-metrics.js';
import { addSampled } from './sampled-metric.js';

/** One of the captures that are measured. */
export interface Measured {
  readonly labels: Readonly<Record<string, string>>;
  readonly stats: CaptureStats;
  /** Undefined: every reader is one of its own. */
  readonly path: string | undefined;
}

/** What is measured, at one moment. */
export interface Measurement {
  readonly captures: readonly Measured[];
  /** Undefined where none is served, or its process is away. */
  readonly rtsp: RtspServer['stats'] | undefined;
  readonly http: HttpStats | undefined;
}

/** How a registry of these metrics is made. */
export interface MeasurementOptions {
  readonly labelNames: readonly string[];
  /** Whether there are metrics of RTSP, and of what is served over HTTP. */
  readonly rtsp: boolean;
  readonly http: boolean;
  /** Asked at each scrape. */
  measure(): Measurement | Promise<Measurement>;
}

/** What serves readers, where anything does. */
interface Doors {
  readonly rtsp?: RtspServer | undefined;
  readonly http?: OpenedHttp | undefined;
}

/** The metrics of one capture session; read from its own counters at each scrape. */
export function captureMetrics(session: CaptureSession, { rtsp, http }: Doors): Promise<Registry> {
  const measure = () => ({
    captures: [{ labels: {}, stats: session.stats, path: undefined }],
    rtsp: rtsp?.stats,
    http: http?.stats,
  });
  return measuredRegistry({ labelNames: [], rtsp: rtsp !== undefined, http: http !== undefined, measure });
}

/** The same of each monitor, with its name as the label `monitor`. */
export function monitorMetrics(streams: MonitorStreams, http?: OpenedHttp): Promise<Registry> {
  const measure = () => ({
    captures: streams.streams.map(({ monitor, session, path }) => ({
      labels: { monitor: monitor.name },
      stats: session.stats,
      path,
    })),
    rtsp: streams.server?.stats,
    http: http?.stats,
  });
  const { server } = streams;
  return measuredRegistry({ labelNames: ['monitor'], rtsp: server !== undefined, http: http !== undefined, measure });
}

/** The metrics of captures and of the RTSP server that has them. */
export async function measuredRegistry({ labelNames, rtsp, http, measure }: MeasurementOptions): Promise<Registry> {
  // Loaded only where metrics are asked for: a plain stream need not carry it.
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  const now = oncePerScrape(measure);
  const counter = (name: string, help: string, read: (stats: CaptureStats) => number): Promise<void> =>
    addSampled(registry, {
      ...{ kind: 'Counter', name, help, labelNames },
      sample: async () => (await now()).captures.map(({ labels, stats }) => [labels, read(stats)] as const),
    });
  await counter('cap_frames_captured_total', 'Frames that left the source', (stats) => stats.framesCaptured);
  await counter('cap_frames_encoded_total', 'Frames that left the encoder', (stats) => stats.framesEncoded);
  await counter('cap_key_frames_total', 'Key frames among the encoded', (stats) => stats.keyFrames);
  await counter('cap_encoded_bytes_total', 'Bytes that left the encoder', (stats) => stats.encodedBytes);
  await counter(
    'cap_capture_to_encoded_seconds_total',
    'Time from the capture of each frame to its coded picture, summed',
    (stats) => (stats.captureToEncodedMs * stats.framesEncoded) / 1000,
  );
  await addRateMetrics(registry, labelNames, async () => (await now()).captures);
  const ofChannels = (name: string, help: string, read: (stats: AudioStats) => number): Promise<void> =>
    addSampled(registry, {
      ...{ kind: 'Counter', name, help, labelNames: [...labelNames, 'channel'] },
      sample: async () =>
        (await now()).captures.flatMap(({ labels, stats }) =>
          stats.audio.map((audio) => [{ ...labels, channel: audio.channel }, read(audio)] as const),
        ),
    });
  await ofChannels('cap_audio_packets_total', 'Packets of sound that left the encoder', ({ packets }) => packets);
  await ofChannels('cap_audio_bytes_total', 'Bytes of sound that left the encoder', ({ bytes }) => bytes);
  await addPublishMetrics(registry, labelNames, async () => (await now()).captures);
  await addRecordingMetrics(registry, labelNames, async () => (await now()).captures);
  await addRedactionMetrics(registry, labelNames, async () => (await now()).captures);
  if (http) await addHttpMetrics(registry, labelNames, now);
  if (!rtsp) return registry;
  const ofServer = (name: string, help: string, read: (stats: RtspServer['stats']) => number): void => {
    new Counter({
      name,
      help,
      registers,
      async collect() {
        const { rtsp: stats } = await now();
        this.reset();
        if (stats) this.inc(read(stats));
      },
    });
  };
  ofServer('cap_rtsp_readers_joined_total', 'RTSP readers that ever played', (stats) => stats.readersTotal);
  ofServer('cap_rtsp_readers_dropped_total', 'RTSP readers closed for stalling', (stats) => stats.readersDropped);
  ofServer('cap_rtsp_readers_refused_total', 'Times that there was no room', (stats) => stats.readersRefused);
  ofServer('cap_rtsp_logins_failed_total', 'Wrong logins, and tries while blocked', (stats) => stats.failedLogins);
  ofServer('cap_rtsp_readers_cut_off_total', 'Times a slow RTSP reader lost frames', (stats) => stats.cutOffs);
  ofServer('cap_rtsp_frames_dropped_total', 'Frames dropped before RTSP', (stats) => stats.accessUnitsDropped);
  new Gauge({
    name: 'cap_rtsp_readers',
    help: 'RTSP readers that play now',
    registers,
    labelNames: [...labelNames, 'protocol'],
    async collect() {
      const { captures, rtsp: stats } = await now();
      this.reset();
      const readers = stats?.readers ?? [];
      for (const { labels, path } of captures) {
        const own = path === undefined ? readers : readers.filter((reader) => reader.path === path);
        for (const protocol of ['tcp', 'udp', 'tls'] as const) {
          this.set({ ...labels, protocol }, own.filter((reader) => reader.protocol === protocol).length);
        }
      }
    },
  });
  return registry;
}
