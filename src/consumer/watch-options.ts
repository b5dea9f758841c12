import { expectInteger, expectKnownKeys, type Frame, fitsInside, unexpected } from '../core/index.js';
import type { Adaptor } from './adaptor.js';
import type { Budget } from './budget/budget.js';
import type { DeltaOptions } from './deltas/delta-track.js';
import type { GateOptions } from './gate/frame-picker.js';
import { LOOK_OPTION_NAMES, type LookOptions } from './look.js';
import type { Price } from './prices.js';
import type { RequestQueue } from './queue/request-queue.js';

/** Says why a frame is not worth sending, or undefined when it is. The first gate that has a reason decides. */
export type Gate = (frame: Frame) => string | undefined | Promise<string | undefined>;

/** How often the model looks, at what, and what happens after a failure. */
export interface WatchOptions extends Omit<LookOptions, 'signal' | 'onText'> {
  /** Least milliseconds between the starts of two requests; 0 asks again at once. @default 5000 */
  readonly everyMs?: number;
  /** Requests under way at the same time, at least 1. @default 1 */
  readonly concurrency?: number;
  /** A frame that is older when it is its turn is not sent. @default no limit */
  readonly staleAfterMs?: number;
  /** Which changes are worth a look; false looks also when nothing has changed. @default {} */
  readonly gate?: GateOptions | false;
  /** Sends the parts of the picture that changed, where that costs less than the whole. @default false */
  readonly deltas?: DeltaOptions | false;
  /** Asked about each frame that is worth a look. @default none */
  readonly gates?: readonly Gate[];
  /** Asked in this order when the adaptor before has failed or rests after a failure. @default none */
  readonly fallbacks?: readonly Adaptor[];
  /** Caps what is spent. @default none */
  readonly budget?: Budget;
  /** Of the adaptor's model, in US dollars for a million tokens. @default as in the table of prices */
  readonly price?: Price;
  /** Rates that several watches share. @default none */
  readonly queue?: RequestQueue;
  /** Wait after the first failure in a row, doubled with each more, unless the provider names one. @default 1000 */
  readonly backOffMs?: number;
  /** Longest wait that doubling leads to. @default 60_000 */
  readonly maxBackOffMs?: number;
}

const OPTION_NAMES: readonly string[] = [
  ...LOOK_OPTION_NAMES.filter((name) => name !== 'signal' && name !== 'onText'),
  'everyMs',
  'concurrency',
  'staleAfterMs',
  'gate',
  'deltas',
  'gates',
  'fallbacks',
  'budget',
  'price',
  'queue',
  'backOffMs',
  'maxBackOffMs',
];
const GATE_OPTION_NAMES = ['ignoreRegions', 'settleMs', 'settleMaxMs', 'heartbeatMs'] as const;
const DAY_MS = 86_400_000;
const LARGEST = { width: 65_535, height: 65_535 };

/** Throws CAP_USAGE for what a watch cannot do. */
export function expectWatchOptions(options: WatchOptions): void {
  expectKnownKeys('watch', options, OPTION_NAMES);
  expectInteger('everyMs', options.everyMs ?? 0, 0, DAY_MS);
  expectInteger('concurrency', options.concurrency ?? 1, 1, 64);
  for (const name of ['staleAfterMs', 'backOffMs', 'maxBackOffMs', 'timeoutMs'] as const) {
    if (options[name] !== undefined) expectInteger(name, options[name], 1, DAY_MS);
  }
  if (options.gate) expectGateOptions(options.gate);
  if (options.deltas) {
    expectKnownKeys('deltas', options.deltas, ['fullEvery']);
    expectInteger('fullEvery', options.deltas.fullEvery ?? 1, 1, 1000);
  }
}

function expectGateOptions(gate: GateOptions): void {
  expectKnownKeys('the gate', gate, GATE_OPTION_NAMES);
  for (const name of ['settleMs', 'settleMaxMs', 'heartbeatMs'] as const) {
    if (gate[name] !== undefined) expectInteger(name, gate[name], 0, DAY_MS);
  }
  for (const region of gate.ignoreRegions ?? []) {
    const numbers = [region.x, region.y, region.width - 1, region.height - 1];
    if (!numbers.every((px) => Number.isInteger(px) && px >= 0) || !fitsInside(region, LARGEST)) {
      throw unexpected('ignoreRegions', 'rectangles of whole pixels', JSON.stringify(region));
    }
  }
}
