import type { Registry } from 'prom-client';
import type { AudioStats, CaptureSession, MonitorStreams, RtspServer } from '../session/index.js';

/** One of the captures that are measured now. */
interface Measured {
  readonly labels: Readonly<Record<string, string>>;
  readonly session: CaptureSession;
  readonly path: string | undefined;
}

/** What is measured, asked at each scrape. */
interface Subject {
  readonly labelNames: readonly string[];
  readonly captures: () => readonly Measured[];
  readonly rtsp: RtspServer | undefined;
}

/** The metrics of one capture session; read from its own counters at each scrape. */
export function captureMetrics(session: CaptureSession, rtsp: RtspServer | undefined): Promise<Registry> {
  return registryOf({ labelNames: [], captures: () => [{ labels: {}, session, path: undefined }], rtsp });
}

/** The same of each monitor, with its name as the label `monitor`. */
export function monitorMetrics(streams: MonitorStreams): Promise<Registry> {
  const captures = () =>
    streams.streams.map(({ monitor, session, path }) => ({ labels: { monitor: monitor.name }, session, path }));
  return registryOf({ labelNames: ['monitor'], captures, rtsp: streams.server });
}

async function registryOf({ labelNames, captures, rtsp }: Subject): Promise<Registry> {
  // Loaded only where metrics are asked for: a plain stream need not carry it.
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, read: (session: CaptureSession) => number): void => {
    new Counter({
      name,
      help,
      registers,
      labelNames: [...labelNames],
      collect() {
        this.reset();
        for (const { labels, session } of captures()) this.inc(labels, read(session));
      },
    });
  };
  counter('cap_frames_captured_total', 'Frames that left the source', ({ stats }) => stats.framesCaptured);
  counter('cap_frames_encoded_total', 'Frames that left the encoder', ({ stats }) => stats.framesEncoded);
  counter('cap_key_frames_total', 'Key frames among the encoded', ({ stats }) => stats.keyFrames);
  counter('cap_encoded_bytes_total', 'Bytes that left the encoder', ({ stats }) => stats.encodedBytes);
  counter(
    'cap_capture_to_encoded_seconds_total',
    'Time from the capture of each frame to its coded picture, summed',
    ({ stats }) => (stats.captureToEncodedMs * stats.framesEncoded) / 1000,
  );
  const ofChannels = (name: string, help: string, read: (stats: AudioStats) => number): void => {
    new Counter({
      name,
      help,
      registers,
      labelNames: [...labelNames, 'channel'],
      collect() {
        this.reset();
        for (const { labels, session } of captures()) {
          for (const stats of session.stats.audio) this.inc({ ...labels, channel: stats.channel }, read(stats));
        }
      },
    });
  };
  ofChannels('cap_audio_packets_total', 'Packets of sound that left the encoder', ({ packets }) => packets);
  ofChannels('cap_audio_bytes_total', 'Bytes of sound that left the encoder', ({ bytes }) => bytes);
  if (!rtsp) return registry;
  const ofServer = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  ofServer('cap_rtsp_readers_joined_total', 'RTSP readers that ever played', () => rtsp.stats.readersTotal);
  ofServer('cap_rtsp_readers_dropped_total', 'RTSP readers closed for stalling', () => rtsp.stats.readersDropped);
  ofServer('cap_rtsp_readers_refused_total', 'Times that there was no room', () => rtsp.stats.readersRefused);
  ofServer('cap_rtsp_logins_failed_total', 'Wrong logins, and tries while blocked', () => rtsp.stats.failedLogins);
  ofServer('cap_rtsp_readers_cut_off_total', 'Times a slow RTSP reader lost frames', () => rtsp.stats.cutOffs);
  ofServer('cap_rtsp_frames_dropped_total', 'Frames dropped before RTSP', () => rtsp.stats.accessUnitsDropped);
  new Gauge({
    name: 'cap_rtsp_readers',
    help: 'RTSP readers that play now',
    registers,
    labelNames: [...labelNames, 'protocol'],
    collect() {
      this.reset();
      const { readers } = rtsp.stats;
      for (const { labels, path } of captures()) {
        const own = path === undefined ? readers : readers.filter((reader) => reader.path === path);
        for (const protocol of ['tcp', 'udp', 'tls'] as const) {
          this.set({ ...labels, protocol }, own.filter((reader) => reader.protocol === protocol).length);
        }
      }
    },
  });
  return registry;
}
