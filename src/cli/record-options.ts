import type { Command } from 'commander';
import { CapError } from '../core/index.js';
import type { RecordOptions } from '../session/index.js';
import { byteSize, duration } from './parse-options.js';

/** The options that say how a recording is cut into files, and which are kept. */
export interface RecordFlags {
  readonly segmentTime?: number;
  readonly segmentSize?: number;
  readonly retainTime?: number;
  readonly retainSize?: number;
  readonly preRoll?: number;
  /** `true`: for as long as it is by default after the last change. */
  readonly recordOnChange?: number | true;
}

const DEFAULT_LINGER_MS = 10_000;
const YEARS_MS = 1e11;

export function addRecordOptions(command: Command): Command {
  return command
    .option(
      '--segment-time <time>',
      'begin another file every 10m, 1h; its name has fields, see --record',
      duration('--segment-time', 1000, YEARS_MS),
    )
    .option('--segment-size <size>', 'begin another file after 500M, 2G', byteSize('--segment-size', 1e6))
    .option('--retain-time <time>', 'remove segments older than 7d', duration('--retain-time', 1000, YEARS_MS))
    .option(
      '--retain-size <size>',
      'remove the oldest segments when all have more than 20G',
      byteSize('--retain-size', 1e6),
    )
    .option(
      '--record-on-change [time]',
      'record only while the picture changes, and so long after (default: 10s)',
      duration('--record-on-change', 1000, 3_600_000),
    )
    .option(
      '--pre-roll <time>',
      'with --record-on-change, from so long before the change',
      duration('--pre-roll', 0, 60_000),
    );
}

export function toRecord(flags: RecordFlags): RecordOptions {
  const { segmentTime, segmentSize, retainTime, retainSize, preRoll, recordOnChange } = flags;
  return {
    segmentMs: segmentTime,
    segmentBytes: segmentSize,
    retainMs: retainTime,
    retainBytes: retainSize,
    preRollMs: preRoll,
    onChangeMs: recordOnChange === true ? DEFAULT_LINGER_MS : recordOnChange,
  };
}

/** The first of these options that was given. */
export function givenRecordOption(flags: RecordFlags): string | undefined {
  const { segmentTime, segmentSize, retainTime, retainSize, preRoll, recordOnChange } = flags;
  const all = {
    '--segment-time': segmentTime,
    '--segment-size': segmentSize,
    '--retain-time': retainTime,
    '--retain-size': retainSize,
    '--pre-roll': preRoll,
    '--record-on-change': recordOnChange,
  };
  return Object.entries(all).find(([, value]) => value !== undefined)?.[0];
}

/** @throws CAP_USAGE for what is no recording of ours */
export function checkRecordName(name: string): string {
  if (/\.(mp4|m4v)$/i.test(name)) return name;
  throw new CapError('CAP_USAGE', `expected a file ending in .mp4 for the output, received "${name}"`, {
    hint: /^[a-z-]+$/.test(name) ? 'or is it a command? see cap --help' : 'recordings are MP4',
  });
}
