import type { Registry } from 'prom-client';
import type { CaptureSession, RtspServer } from '../session/index.js';

/** The metrics of one capture session; read from its own counters at each scrape. */
export async function captureMetrics(session: CaptureSession, rtsp: RtspServer | undefined): Promise<Registry> {
  // Loaded only where metrics are asked for: a plain stream need not carry it.
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, read: () => number): void => {
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
  counter('cap_frames_captured_total', 'Frames that left the source', () => session.stats.framesCaptured);
  counter('cap_frames_encoded_total', 'Frames that left the encoder', () => session.stats.framesEncoded);
  counter('cap_key_frames_total', 'Key frames among the encoded', () => session.stats.keyFrames);
  counter('cap_encoded_bytes_total', 'Bytes that left the encoder', () => session.stats.encodedBytes);
  counter(
    'cap_capture_to_encoded_seconds_total',
    'Time from the capture of each frame to its coded picture, summed',
    () => (session.stats.captureToEncodedMs * session.stats.framesEncoded) / 1000,
  );
  if (rtsp) {
    counter('cap_rtsp_readers_joined_total', 'RTSP readers that ever played', () => rtsp.stats.readersTotal);
    counter('cap_rtsp_readers_dropped_total', 'RTSP readers closed for stalling', () => rtsp.stats.readersDropped);
    counter('cap_rtsp_readers_cut_off_total', 'Times a slow RTSP reader lost frames', () => rtsp.stats.cutOffs);
    counter('cap_rtsp_frames_dropped_total', 'Frames dropped before RTSP', () => rtsp.stats.accessUnitsDropped);
    new Gauge({
      name: 'cap_rtsp_readers',
      help: 'RTSP readers that play now',
      registers,
      labelNames: ['protocol'],
      collect() {
        for (const protocol of ['tcp', 'udp'] as const) {
          this.set({ protocol }, rtsp.stats.readers.filter((reader) => reader.protocol === protocol).length);
        }
      },
    });
  }
  return registry;
}
