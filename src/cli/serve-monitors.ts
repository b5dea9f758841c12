import { type CapError, formatSize, type Logger } from '../core/index.js';
import { MonitorStreams, type MonitorStreamsOptions } from '../session/index.js';
import { errorText } from './error-text.js';
import { announceRtsp } from './rtsp-options.js';

export interface ServeMonitorsOptions extends MonitorStreamsOptions {
  readonly logger: Logger;
  readonly stop: AbortSignal;
  readonly durationMs: number | undefined;
}

/** Serves each monitor until told to stop; rejects when the last one has failed. */
export async function serveMonitors({ stop, durationMs, ...options }: ServeMonitorsOptions): Promise<void> {
  const { logger } = options;
  await using streams = await MonitorStreams.open(options);
  const ended = new Promise<CapError>((resolve) => streams.on('ended', resolve));
  streams.on('lost', ({ path }, error) => logger.warn(`${path}: ${errorText(error)}`));
  for (const { session } of streams.streams) {
    process.stdout.write(`${session.label}, ${session.plan.name} ${formatSize(session.plan.canvas)}\n`);
  }
  const paths = streams.streams.map(({ path }) => path);
  announceRtsp(streams.server, paths, options.rtsp?.tls, logger);
  const error = await Promise.race([ended, stopped(stop, durationMs)]);
  if (error) throw error;
}

function stopped(stop: AbortSignal, durationMs: number | undefined): Promise<undefined> {
  return new Promise((resolve) => {
    const timer = durationMs === undefined ? undefined : setTimeout(() => resolve(undefined), durationMs).unref();
    const finish = (): void => {
      clearTimeout(timer);
      resolve(undefined);
    };
    if (stop.aborted) finish();
    stop.addEventListener('abort', finish, { once: true });
  });
}
