import type { Command } from 'commander';
import { CapError, createStreamLogger } from '../../core/index.js';
import { captureMetrics, openHttp, startMetricsServer } from '../../server/index.js';
import {
  CaptureSession,
  type CaptureSessionOptions,
  checkRecording,
  fingerprintOf,
  type SourceOptions,
  StreamTable,
  screenServer,
} from '../../session/index.js';
import { type AudioFlags, addAudioOptions, hearsAnything, toAudio } from '../audio-options.js';
import {
  addCaptureOptions,
  type CaptureFlags,
  toDemand,
  toEncoder,
  toQuality,
  toScaling,
  toSource,
} from '../capture-options.js';
import { addHttpOptions, givenHttpOption, type HttpFlags, toHttp } from '../http-options.js';
import { controlOf, openControl } from '../open-control.js';
import { duration, integer } from '../parse-options.js';
import { pickWindow } from '../pick-window.js';
import { addPublishOption, type PublishFlags, publishedTo, whipTokenFor } from '../publish-options.js';
import { addRecordOptions, checkRecordName, givenRecordOption, type RecordFlags, toRecord } from '../record-options.js';
import { recordUntil } from '../record-until.js';
import { toRedaction } from '../redact-options.js';
import { addRtspOptions, announceRtsp, givenRtspOption, type RtspFlags, toRtsp } from '../rtsp-options.js';
import { serveMonitors } from '../serve-monitors.js';
import { untilStopped } from '../until-stopped.js';

interface Flags extends CaptureFlags, AudioFlags, RtspFlags, HttpFlags, PublishFlags, RecordFlags {
  readonly rtsp?: true;
  readonly output?: string;
  readonly record?: string;
  readonly duration?: number;
  readonly metricsPort?: number;
  readonly verbose?: true;
}

/** Makes capturing the program's own action: `cap --rtsp …`, `cap out.mp4`. */
export function registerCapture(program: Command, stop: AbortSignal): void {
  program.argument('[output]', 'MP4 file to record into; with --monitor all: NAME-1.mp4, NAME-2.mp4 …');
  addAudioOptions(addCaptureOptions(program)).option('--rtsp', 'serve the stream at rtsp://HOST:PORT/cap');
  addRtspOptions(program).option('--http', 'serve the stream to browsers and programs at http://HOST:PORT/');
  addPublishOption(addHttpOptions(program)).option('-o, --output <file>', 'the same as [output]');
  program.option(
    '--record <file>',
    'the same as [output], beside --rtsp; its name may have %Y %m %d %H %M %S, {mount}',
  );
  addRecordOptions(program)
    .option('-d, --duration <time>', 'stop after 30s, 2m, 1h', duration('--duration', 100))
    .option('--metrics-port <port>', 'serve Prometheus metrics, 0 for a free port', integer('--metrics-port', 0, 65535))
    .option('-v, --verbose', 'say more on standard error')
    .action((argument: string | undefined, flags: Flags) => capture(outputOf(argument, flags), flags, stop));
}

function outputOf(argument: string | undefined, { output, record }: Flags): string | undefined {
  const given = [argument, output, record].filter((path) => path !== undefined);
  if (given.length > 1)
    throw new CapError('CAP_USAGE', 'name one output file', { hint: `received ${given.join(', ')}` });
  return given[0] === undefined ? undefined : checkRecordName(given[0]);
}

async function capture(output: string | undefined, flags: Flags, stop: AbortSignal): Promise<void> {
  const logger = createStreamLogger({ level: flags.verbose ? 'debug' : 'info' });
  const publish = publishedTo(flags, logger);
  const whipToken = whipTokenFor(publish, flags);
  const serves = flags.rtsp === true || flags.http === true || publish.length > 0;
  if (!serves && output === undefined) {
    throw new CapError('CAP_USAGE', 'nothing to do', {
      hint: 'cap --rtsp serves a stream, cap out.mp4 records; see cap --help',
    });
  }
  refuseIdleOptions(flags, output);
  const record = toRecord(flags);
  if (output !== undefined) checkRecording(output, record);
  if (hearsAnything(flags) && !flags.rtsp && output === undefined) {
    throw new CapError('CAP_USAGE', 'sound goes into RTSP and files alone', { hint: 'add --rtsp or a file' });
  }
  const options = {
    scaling: toScaling(flags),
    redaction: toRedaction(flags),
    encoder: toEncoder(flags, !serves),
    quality: toQuality(flags, !serves),
    audio: toAudio(flags, !flags.rtsp),
    fps: flags.fps,
    ...toDemand(flags),
    logger,
  };
  if (flags.monitor === 'all') {
    refuseWithAllMonitors(flags, publish);
    const { displayServer, display, cursor, keepAlive, metricsPort, duration: durationMs } = flags;
    if (displayServer === 'portal') {
      throw new CapError('CAP_USAGE', 'the portal shares one monitor: --monitor all cannot be used with it');
    }
    const screen = { displayServer, display, cursor, keepAliveMs: keepAlive };
    const access = flags.rtsp || flags.http ? await toRtsp(flags, logger) : {};
    const rtsp = flags.rtsp === true && access;
    const http = flags.http && toHttp(flags, access);
    const recording = { record: output, recordOptions: record };
    return serveMonitors({ ...options, ...recording, screen, rtsp, http, stop, durationMs, metricsPort });
  }
  const access = flags.rtsp || flags.http ? await toRtsp(flags, logger) : {};
  const source = await sourceOf(flags, stop);
  if (stop.aborted || !source) return;
  await using session = await openUnlessStopped({ ...options, source, signal: stop });
  if (!session) return;
  const ended = untilStopped(session, stop, flags.duration);
  if (stop.aborted) return;
  print(`${session.label}, ${session.picture}`);
  const rtsp = flags.rtsp && (await session.serveRtsp('/cap', access));
  for (const { channel } of session.stats.audio) print(`${channel}, ${options.audio.codec}`);
  const streams = new StreamTable();
  streams.add({ path: '/cap', label: session.label, stream: session.stream, rate: () => session.stats.rate });
  if (rtsp) streams.countReaders('rtsp', () => rtsp.stats.readers.length);
  await using http = flags.http && (await openHttp(streams, { ...toHttp(flags, access), logger }));
  if (http) session.hearReaders(() => streams.readerReports());
  if (http?.exposure) logger.warn(http.exposure);
  for (const url of publish) print(`publishing to ${session.publish(url, { whipToken }).label}`);
  const recorder = output === undefined ? undefined : await session.record(output, record);
  await using metrics =
    flags.metricsPort === undefined
      ? undefined
      : await startMetricsServer({
          port: flags.metricsPort,
          registry: await captureMetrics(session, { rtsp: rtsp || undefined, http: http || undefined }),
        });
  await using _control =
    rtsp &&
    (await openControl(
      controlOf(rtsp, () => ['/cap']),
      logger,
    ));
  if (rtsp) announceRtsp(rtsp, ['/cap'], access.tls, logger);
  if (http) print(http.url);
  if (!rtsp && access.tls) print(`certificate ${fingerprintOf(access.tls)}`);
  if (metrics) print(`metrics at ${metrics.url}`);
  await (recorder ? recordUntil({ recorder, ended, serves, logger }) : ended);
}

/** No option is accepted that would do nothing. */
function refuseIdleOptions(flags: Flags, output: string | undefined): void {
  const { rtsp, http, host, auth, authFile, tls, tlsCert, tlsKey, ...others } = flags;
  const refuse = (option: string | undefined, needed: string): void => {
    if (option) throw new CapError('CAP_USAGE', `${option} is for ${needed}`, { hint: `add ${needed}` });
  };
  if (!rtsp) refuse(givenRtspOption(http ? others : flags), '--rtsp');
  if (!rtsp && !http) refuse(flags.alwaysOn ? '--always-on' : flags.linger === undefined ? '' : '--linger', '--rtsp');
  if (!http) refuse(givenHttpOption(flags), '--http');
  if (output === undefined) refuse(givenRecordOption(flags), '--record');
}

/**
 * The source, after the user has picked a window if need be: by a click, from a list, or in the desktop's dialog.
 * Undefined when none was picked.
 */
async function sourceOf(flags: CaptureFlags, stop: AbortSignal): Promise<SourceOptions | undefined> {
  const { source, window, display, displayServer, share } = flags;
  if (window !== true) return toSource(flags, window);
  if (source !== undefined && source.kind !== 'screen') {
    throw new CapError('CAP_USAGE', '--window is for --source screen', { hint: 'leave it out' });
  }
  const server = screenServer({ displayServer, display, share });
  if (server === 'portal') return toSource({ ...flags, share: share ?? 'window' }, undefined);
  const picked = await pickWindow({ displayServer: server, display }, stop);
  return picked === undefined ? undefined : toSource(flags, picked);
}

/** Undefined when it was told to stop while the user was asked. */
async function openUnlessStopped(
  options: CaptureSessionOptions & { readonly signal: AbortSignal },
): Promise<CaptureSession | undefined> {
  try {
    return await CaptureSession.open(options);
  } catch (error) {
    if (options.signal.aborted && error instanceof CapError && error.code === 'CAP_CLOSED') return undefined;
    throw error;
  }
}

/** Each monitor is a source: nothing else can be one; and the sound is not one monitor's. */
function refuseWithAllMonitors(flags: Flags, publish: readonly string[]): void {
  const { source, region, window, share, redact } = flags;
  const wrong = [
    source !== undefined && source.kind !== 'screen' && '--source',
    region && '--region',
    redact && '--redact',
    window !== undefined && '--window',
    share !== undefined && '--share',
    hearsAnything(flags) && 'sound',
    publish.length > 0 && '--publish',
  ].find(Boolean);
  if (wrong)
    throw new CapError('CAP_USAGE', `${wrong} cannot be used with --monitor all`, { hint: 'name one monitor' });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
