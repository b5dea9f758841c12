import { type Command, Option } from 'commander';
import type { Rect } from '../core/index.js';
import type { GateOptions } from '../session/index.js';
import { duration, durationOrOff, pictureRegion } from './parse-options.js';

/** The options that say which changes are worth a look. */
export interface GateFlags {
  readonly gate: boolean;
  readonly ignoreRegion?: readonly Rect[];
  readonly settle: number;
  readonly settleMax: number;
  readonly heartbeat: number;
}

export function addGateOptions(command: Command): Command {
  const settle = new Option('--settle <time>', 'show a change once nothing has changed for so long, or off');
  const settleMax = new Option('--settle-max <time>', 'but no later than this after it began');
  const heartbeat = new Option('--heartbeat <time>', 'longest time without a look, or off');
  return command
    .option('--no-gate', 'look also when nothing has changed')
    .option('--ignore-region <x,y,w,h>', 'changes there do not count, in pixels of the source; repeatable', addRegion)
    .addOption(settle.argParser(durationOrOff('--settle')).default(300, '300ms'))
    .addOption(settleMax.argParser(duration('--settle-max')).default(2000, '2s'))
    .addOption(heartbeat.argParser(durationOrOff('--heartbeat', 1000)).default(300_000, '5m'));
}

export function toGate({ gate, ignoreRegion, settle, settleMax, heartbeat }: GateFlags): GateOptions | false {
  if (!gate) return false;
  return {
    ...(ignoreRegion ? { ignoreRegions: ignoreRegion } : {}),
    settleMs: settle,
    settleMaxMs: settleMax,
    heartbeatMs: heartbeat,
  };
}

function addRegion(text: string, before: readonly Rect[] = []): readonly Rect[] {
  return [...before, pictureRegion('--ignore-region')(text)];
}
