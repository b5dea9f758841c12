import { Command } from 'commander';
import type { Logger } from '../../core/index.js';
import type { GatewayOptions, MountOptions } from '../../gateway/index.js';
import type { HttpOptions, MetricsServerOptions } from '../../server/index.js';
import { type RtspServerOptions, scalePlanner } from '../../session/index.js';
import { type AudioFlags, addAudioOptions, toAudio } from '../audio-options.js';
import {
  addCaptureOptions,
  type CaptureFlags,
  toDemand,
  toEncoder,
  toQuality,
  toScaling,
  toSource,
} from '../capture-options.js';
import { addHttpOptions, type HttpFlags, toHttp } from '../http-options.js';
import { integer } from '../parse-options.js';
import { addPublishOption, checkPublish, type PublishFlags, whipTokenFor } from '../publish-options.js';
import { toRedaction } from '../redact-options.js';
import { addRtspOptions, type RtspFlags, toRtsp } from '../rtsp-options.js';
import { readMountRecord, refuseSharedFiles } from './mount-record.js';
import { inFile, readOptionTable } from './option-table.js';
import { TomlFile } from './toml-file.js';

/** What `cap serve` reads unless told otherwise. */
export const DEFAULT_CONFIG = 'cap.toml';

/** Where metrics are served. */
export type MetricsOptions = Pick<MetricsServerOptions, 'host' | 'port'>;

/** What a configuration says. */
export interface GatewayConfig extends GatewayOptions {
  readonly metrics: MetricsOptions | undefined;
}

const TABLES = ['rtsp', 'http', 'metrics', 'mounts'] as const;

/**
 * Reads the configuration of `cap serve`: docs/configuration.md.
 * @throws CAP_USAGE with file and line
 */
export async function readGatewayConfig(path: string, logger: Logger): Promise<GatewayConfig> {
  const file = new TomlFile(path);
  const tables = file.tables([], TABLES).map(([name]) => name);
  if (!tables.includes('mounts')) {
    throw file.error([], 'there is no mount', { hint: 'add a table such as [mounts.cap] with source = "screen"' });
  }
  const rtsp = tables.includes('rtsp') ? await readRtsp(file, logger) : {};
  const mounts = file.tables(['mounts']).map(([name]) => readMount(file, name));
  refuseSharedFiles(file, mounts);
  return {
    rtsp,
    http: tables.includes('http') ? readHttp(file, rtsp) : undefined,
    metrics: tables.includes('metrics') ? readMetrics(file) : undefined,
    mounts,
  };
}

async function readRtsp(file: TomlFile, logger: Logger): Promise<RtspServerOptions> {
  const flags = readOptionTable<RtspFlags>(file, ['rtsp'], addRtspOptions(new Command()), 'rtsp-');
  if (flags.auth) {
    throw file.error(['rtsp', 'auth'], 'a password does not belong into this file', {
      hint: 'auth-file names a file that `cap user add` writes; it keeps hashes',
    });
  }
  try {
    return await toRtsp(flags, logger);
  } catch (error) {
    throw inFile(file, ['rtsp'], error, 'rtsp-');
  }
}

function readMetrics(file: TomlFile): MetricsOptions {
  const command = new Command()
    .option('--host <address>')
    .option('--metrics-port <port>', '', integer('--metrics-port', 0, 65535));
  const { metricsPort = 9464, host } = readOptionTable<{ host?: string; metricsPort?: number }>(
    file,
    ['metrics'],
    command,
    'metrics-',
  );
  return { port: metricsPort, host };
}

function readHttp(file: TomlFile, { users, tls }: RtspServerOptions): HttpOptions {
  const command = addHttpOptions(new Command().option('--host <address>'));
  const { host, ...flags } = readOptionTable<HttpFlags & { host?: string }>(file, ['http'], command, 'http-');
  try {
    return toHttp(flags, { host, users, tls });
  } catch (error) {
    throw inFile(file, ['http'], error, 'http-');
  }
}

interface MountFlags extends CaptureFlags, AudioFlags, PublishFlags {
  readonly maxReaders?: number;
}

function readMount(file: TomlFile, name: string): MountOptions {
  const keys = ['mounts', name];
  if (!/^[A-Za-z0-9._-]{1,64}(\/[A-Za-z0-9._-]{1,64}){0,7}$/.test(name)) {
    throw file.error(keys, `expected a path such as desk or lab/door for a mount, received "${name}"`);
  }
  const options = addPublishOption(addAudioOptions(addCaptureOptions(new Command()))).option(
    '--max-readers <n>',
    '',
    integer('max-readers', 1, 1000),
  );
  const flags = readOptionTable<MountFlags>(file, keys, options, '', ['record']);
  if (flags.monitor === 'all') {
    throw file.error([...keys, 'monitor'], 'a mount has one monitor', { hint: 'make a mount for each' });
  }
  const record = readMountRecord(file, name);
  try {
    const source = toSource(flags, flags.window === true ? undefined : flags.window);
    const scaling = toScaling(flags);
    // A preset that does not exist is told here, and not in a process later on.
    scalePlanner(scaling);
    return {
      path: `/${name}`,
      source,
      scaling,
      redaction: toRedaction(flags),
      encoder: toEncoder(flags, false),
      audio: toAudio(flags, false),
      quality: toQuality(flags, false),
      fps: flags.fps,
      maxReaders: flags.maxReaders,
      publish: checkPublish(flags.publish ?? []),
      record,
      whipToken: whipTokenFor(flags.publish ?? [], flags),
      ...toDemand(flags),
    };
  } catch (error) {
    throw inFile(file, keys, error);
  }
}
