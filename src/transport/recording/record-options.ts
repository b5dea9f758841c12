import { CapError, expectInteger, expectKnownKeys } from '../../core/index.js';
import type { SegmentRules } from '../../native/index.js';
import { FileTemplate } from './file-template.js';
import type { RetentionOptions } from './retention.js';

/** How a recording is cut into files, and which of them are kept. */
export interface RecordOptions extends RetentionOptions {
  /**
   * Milliseconds after which another file begins, 1000 or more, at a key frame that is asked for then. @default never
   */
  readonly segmentMs?: number | undefined;
  /** Bytes after which another file begins, 1,000,000 or more. @default never */
  readonly segmentBytes?: number | undefined;
  /**
   * Records only while the pictures change: until so many milliseconds after the last change, 1000 to 3600000. Each
   * time is a file. @default it is recorded all the time
   */
  readonly onChangeMs?: number | undefined;
  /**
   * With `onChangeMs`, from how many milliseconds before the first change, 0 to 60000: from the last key frame before
   * that. @default 0
   */
  readonly preRollMs?: number | undefined;
  /** What `{mount}` stands for in the name. @default 'cap' */
  readonly mount?: string | undefined;
}

const KNOWN = ['segmentMs', 'segmentBytes', 'onChangeMs', 'preRollMs', 'retainMs', 'retainBytes', 'mount'];
/** A year and more. */
const MOST_MS = 1e11;

/** Whether a recording may have several files. */
const isSegmented = ({ segmentMs, segmentBytes, onChangeMs }: RecordOptions): boolean =>
  [segmentMs, segmentBytes, onChangeMs].some((value) => value !== undefined);

/** Whether such a recording can be: told before anything is captured. @throws CAP_USAGE */
export function checkRecording(name: string, options: RecordOptions): void {
  segmentRules(options, new FileTemplate(name, options.mount), 0);
}

/** @param stillMs how often a still screen is asked for a picture @throws CAP_USAGE */
export function segmentRules(options: RecordOptions, template: FileTemplate, stillMs: number): SegmentRules {
  expectKnownKeys('record', options, KNOWN);
  const { segmentMs, segmentBytes, onChangeMs, preRollMs, retainMs, retainBytes } = options;
  if (isSegmented(options)) template.requireDistinct();
  const keeps = [retainMs, retainBytes].some((value) => value !== undefined);
  if (keeps && !isSegmented(options)) {
    throw new CapError('CAP_USAGE', 'only segments can be removed one by one', {
      hint: 'add --segment-time, --segment-size or --record-on-change',
    });
  }
  if (preRollMs !== undefined && onChangeMs === undefined) {
    throw new CapError('CAP_USAGE', '--pre-roll is for --record-on-change', { hint: 'add --record-on-change' });
  }
  if (retainMs !== undefined) expectInteger('retainMs', retainMs, 1000, MOST_MS);
  if (retainBytes !== undefined) expectInteger('retainBytes', retainBytes, 1e6, Number.MAX_SAFE_INTEGER);
  return {
    segmentMs: segmentMs === undefined ? 0 : expectInteger('segmentMs', segmentMs, 1000, MOST_MS),
    segmentBytes:
      segmentBytes === undefined ? 0 : expectInteger('segmentBytes', segmentBytes, 1e6, Number.MAX_SAFE_INTEGER),
    onChange: onChangeMs !== undefined,
    lingerMs: onChangeMs === undefined ? 0 : expectInteger('onChangeMs', onChangeMs, 1000, 3_600_000),
    preRollMs: expectInteger('preRollMs', preRollMs ?? 0, 0, 60_000),
    stillMs,
  };
}
