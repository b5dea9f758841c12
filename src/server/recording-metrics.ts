import type { Registry } from 'prom-client';
import type { Mp4RecorderStats } from '../session/index.js';
import type { Measured } from './capture-metrics.js';

/** Adds the metrics of recordings. */
export async function addRecordingMetrics(
  registry: Registry,
  labelNames: readonly string[],
  captures: () => Promise<readonly Measured[]>,
): Promise<void> {
  const { Counter } = await import('prom-client');
  const counter = (name: string, help: string, read: (stats: Mp4RecorderStats) => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      labelNames: [...labelNames],
      async collect() {
        const measured = await captures();
        this.reset();
        for (const { labels, stats } of measured)
          for (const recorded of stats.recorded) this.inc(labels, read(recorded));
      },
    });
  };
  counter('cap_recording_segments_total', 'Files of recordings that have begun', ({ segments }) => segments);
  counter('cap_recording_bytes_total', 'Bytes written into recordings', ({ bytes }) => bytes);
  counter('cap_recording_frames_total', 'Frames recorded', ({ delivered }) => delivered);
  counter('cap_recording_frames_dropped_total', 'Frames that a slow disk did not take', ({ dropped }) => dropped);
  counter('cap_recording_write_errors_total', 'Times that a file could not be written', (stats) => stats.writeErrors);
  counter('cap_recording_files_removed_total', 'Files removed by what is to be retained', ({ removed }) => removed);
}
