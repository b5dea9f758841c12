import { Command } from 'commander';
import type { GatewayOptions, MountOptions } from '../../gateway/index.js';
import { scalePlanner } from '../../session/index.js';
import { addCaptureOptions, type CaptureFlags, toEncoder, toScaling, toSource } from '../capture-options.js';
import { integer } from '../parse-options.js';
import { inFile, readOptionTable } from './option-table.js';
import { TomlFile } from './toml-file.js';

/** What `cap serve` reads unless told otherwise. */
export const DEFAULT_CONFIG = 'cap.toml';

const TABLES = ['rtsp', 'mounts'] as const;

/** The options of `[rtsp]`. */
const rtspOptions = (): Command =>
  new Command().option('--host <address>').option('--port <port>', '', integer('port', 0, 65535));

/**
 * Reads the configuration of `cap serve`: docs/configuration.md.
 * @throws CAP_USAGE with file and line
 */
export function readGatewayConfig(path: string): GatewayOptions {
  const file = new TomlFile(path);
  const tables = file.tables([], TABLES).map(([name]) => name);
  if (!tables.includes('mounts')) {
    throw file.error([], 'there is no mount', { hint: 'add a table such as [mounts.cap] with source = "screen"' });
  }
  return {
    rtsp: tables.includes('rtsp') ? readOptionTable(file, ['rtsp'], rtspOptions()) : {},
    mounts: file.tables(['mounts']).map(([name]) => readMount(file, name)),
  };
}

function readMount(file: TomlFile, name: string): MountOptions {
  const keys = ['mounts', name];
  if (!/^[A-Za-z0-9._-]{1,64}(\/[A-Za-z0-9._-]{1,64}){0,7}$/.test(name)) {
    throw file.error(keys, `expected a path such as desk or lab/door for a mount, received "${name}"`);
  }
  const flags = readOptionTable<CaptureFlags>(file, keys, addCaptureOptions(new Command()));
  if (flags.monitor === 'all') {
    throw file.error([...keys, 'monitor'], 'a mount has one monitor', { hint: 'make a mount for each' });
  }
  try {
    const source = toSource(flags, flags.window === true ? undefined : flags.window);
    const scaling = toScaling(flags);
    // A preset that does not exist is told here, and not in a process later on.
    scalePlanner(scaling);
    return {
      path: `/${name}`,
      source,
      scaling,
      encoder: toEncoder(flags, false),
      fps: flags.fps,
    };
  } catch (error) {
    throw inFile(file, keys, error);
  }
}
