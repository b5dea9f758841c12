import type { CapError, Logger } from '../core/index.js';
import { type HttpOptions, monitorMetrics, openHttp, startMetricsServer } from '../server/index.js';
import {
  fingerprintOf,
  type MonitorStream,
  MonitorStreams,
  type MonitorStreamsOptions,
  StreamTable,
} from '../session/index.js';
import { errorText } from './error-text.js';
import { controlOf, openControl } from './open-control.js';
import { recordedText } from './recording-progress.js';
import { announceRtsp } from './rtsp-options.js';

export interface ServeMonitorsOptions extends MonitorStreamsOptions {
  readonly logger: Logger;
  readonly stop: AbortSignal;
  readonly durationMs: number | undefined;
  readonly metricsPort: number | undefined;
  readonly http: HttpOptions | undefined;
}

/** Serves and records each monitor until told to stop; rejects when the last one has failed, or a file has. */
export async function serveMonitors({
  stop,
  durationMs,
  metricsPort,
  http: httpOptions,
  ...options
}: ServeMonitorsOptions): Promise<void> {
  const { logger } = options;
  await using streams = await MonitorStreams.open(options);
  const { server } = streams;
  let recordingError: CapError | undefined;
  streams.on('added', (stream) => {
    describe(stream);
    for (const url of server?.urls(stream.path) ?? []) print(url);
  });
  streams.on('refused', ({ name }, error) => logger.warn(`monitor ${name}: ${errorText(error)}`));
  streams.on('lost', (stream, error) => {
    logger.warn(`${server ? stream.path : `monitor ${stream.monitor.name}`}: ${errorText(error)}`);
    sayRecorded([stream]);
  });
  streams.on('recordingFailed', (stream, error) => {
    recordingError ??= error;
    if (server) logger.warn(`${errorText(error)}; ${stream.path} goes on without it`);
  });
  const ended = new Promise<CapError>((resolve) => streams.on('ended', resolve));
  streams.streams.forEach(describe);
  const pathsNow = () => streams.streams.map(({ path }) => path);
  await using _control = server && (await openControl(controlOf(server, pathsNow), logger));
  if (server && options.rtsp) announceRtsp(server, pathsNow(), options.rtsp.tls, logger);
  const table = tableOf(streams);
  await using http = httpOptions && (await openHttp(table, { ...httpOptions, logger }));
  if (http) print(http.url);
  if (http?.exposure) logger.warn(http.exposure);
  if (!server && httpOptions?.tls) print(`certificate ${fingerprintOf(httpOptions.tls)}`);
  await using metrics =
    metricsPort === undefined
      ? undefined
      : await startMetricsServer({ port: metricsPort, registry: await monitorMetrics(streams, http) });
  if (metrics) print(`metrics at ${metrics.url}`);
  const error = await Promise.race([ended, stopped(stop, durationMs)]);
  if (error) throw recordingError ?? error;
  const last = [...streams.streams];
  await streams.close();
  if (recordingError) throw recordingError;
  sayRecorded(last);
}

/** What HTTP serves: each monitor at the path that RTSP has it at, while it is there. */
function tableOf(streams: MonitorStreams): StreamTable {
  const table = new StreamTable();
  const add = ({ path, session }: MonitorStream): void =>
    table.add({ path, label: session.label, stream: session.stream });
  streams.streams.forEach(add);
  streams.on('added', add).on('lost', ({ path }) => table.remove(path));
  const { server } = streams;
  if (server) table.countReaders('rtsp', ({ path }) => server.readers.filter((reader) => reader.path === path).length);
  return table;
}

function describe({ session }: MonitorStream): void {
  print(`${session.label}, ${session.picture}`);
}

function sayRecorded(streams: readonly MonitorStream[]): void {
  for (const { recorder } of streams) if (recorder) process.stderr.write(`${recordedText(recorder)}\n`);
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

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
