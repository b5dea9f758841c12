import type { Registry } from 'prom-client';
import type { Mp4RecorderStats } from '../session/index.js';
import type { Measured } from './capture-metrics.js';
import { addSampled } from './sampled-metric.js';

/** Adds the metrics of recordings. */
export async function addRecordingMetrics(
  registry: Registry,
  labelNames: readonly string[],
  captures: () => Promise<readonly Measured[]>,
): Promise<void> {
  const counter = (name: string, help: string, read: (stats: Mp4RecorderStats) => number): Promise<void> =>
    addSampled(registry, {
      ...{ kind: 'Counter', name, help, labelNames },
      sample: async () =>
        (await captures()).flatMap(({ labels, stats }) => stats.recorded.map((one) => [labels, read(one)] as const)),
    });
  await counter('cap_recording_segments_total', 'Files of recordings that have begun', ({ segments }) => segments);
  await counter('cap_recording_bytes_total', 'Bytes written into recordings', ({ bytes }) => bytes);
  await counter('cap_recording_frames_total', 'Frames recorded', ({ delivered }) => delivered);
  await counter('cap_recording_frames_dropped_total', 'Frames that a slow disk did not take', ({ dropped }) => dropped);
  await counter(
    'cap_recording_write_errors_total',
    'Times that a file could not be written',
    (stats) => stats.writeErrors,
  );
  await counter(
    'cap_recording_files_removed_total',
    'Files removed by what is to be retained',
    ({ removed }) => removed,
  );
}
