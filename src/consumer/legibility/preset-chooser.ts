import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Closable,
  expectInteger,
  expectKnownKeys,
  type Frame,
  type Logger,
  once,
  type Size,
  toCapError,
  unexpected,
} from '../../core/index.js';
import type { Adaptor } from '../adaptor.js';
import type { FitOptions } from '../fit.js';
import { linkAbort } from '../linked-abort.js';
import type { TextReader } from '../ocr/page-reader.js';
import { changedShare } from './changed-share.js';
import { type Check, type CheckRequest, checkLegibility, DEFAULT_LEGIBILITY, wholeOf } from './check.js';
import type { Legibility } from './legibility.js';
import { sizesOf } from './read-views.js';
import { AS_STREAMED, candidatesOf, type Scaling } from './scaling.js';

/** Among what is chosen, by what, and how often. */
export interface PresetChooserOptions {
  /** Sizes in which pictures may be sent; one alone is not chosen but only measured. */
  readonly scalings: readonly Scaling[];
  /** Reads the text, for as long as the chooser is open. */
  readonly reader: TextReader;
  /** Least share of the text that is to stay legible, above 0 and up to 1. @default 0.95 */
  readonly atLeast?: number;
  /** Longest wait for the first check, after which the whole picture is sent. @default 10_000, 0 without a choice */
  readonly firstCheckMs?: number;
  /** Least time from the end of a check to the next one, which is also three times as long as it took. @default 10_000 */
  readonly restMs?: number;
  /** After this long a small change is enough for another check. @default 60_000 */
  readonly recheckMs?: number;
  readonly logger?: Logger | undefined;
}

/** Legibility with the frame on which it was measured: the one that was sent, or an earlier one. */
export interface FrameLegibility extends Legibility {
  readonly frameNumber: number;
}

/** For whom a size is chosen. */
type Target = Pick<Adaptor, 'provider' | 'model' | 'limits' | 'imageCost'>;
type Subject = Pick<CheckRequest, 'frame' | 'target' | 'fit' | 'candidates'>;

/** What is known for one model. */
interface Known {
  readonly check: Check;
  readonly frame: Frame;
}

const OPTION_NAMES = ['scalings', 'reader', 'atLeast', 'firstCheckMs', 'restMs', 'recheckMs', 'logger'];
const DAY_MS = 86_400_000;
/** The content is of another kind when so much of the picture has changed since it was checked. */
const OTHER_KIND = 0.1;
/** Of the time that a check took: a reader that is busy all the time would keep a core from what is captured. */
const REST_FACTOR = 3;

/**
 * Chooses the size in which frames are sent: the cheapest, in the tokens of the model, at which the local reader
 * still reads what it reads at full size.
 *
 * The check runs beside the requests. Only the first request waits for it, and not for long. It is made again when
 * a tenth of the picture has changed since, or when anything has and a minute has passed, but leaves the reader idle
 * for three quarters of the time. A check that fails is told once, and the choice stays as it is: at first, the
 * whole picture.
 */
export class PresetChooser implements Closable {
  readonly #options: PresetChooserOptions;
  readonly #atLeast: number;
  readonly #known = new Map<string, Known>();
  #checking: Promise<void> | undefined;
  #endedAtMs = Number.NEGATIVE_INFINITY;
  #tookMs = 0;
  #closed = false;
  /** Told last; undefined while all is well. */
  #trouble: string | undefined;

  /** @throws CAP_USAGE */
  constructor(options: PresetChooserOptions) {
    expectKnownKeys('a preset chooser', options, OPTION_NAMES);
    const { atLeast = DEFAULT_LEGIBILITY, scalings } = options;
    if (!(atLeast > 0 && atLeast <= 1)) throw unexpected('atLeast', 'a share above 0 and up to 1', atLeast);
    if (scalings.length === 0) throw unexpected('scalings', 'one at least', '[]');
    for (const name of ['firstCheckMs', 'restMs', 'recheckMs'] as const) {
      if (options[name] !== undefined) expectInteger(name, options[name], 0, DAY_MS);
    }
    this.#options = options;
    this.#atLeast = atLeast;
  }

  /** How this frame is to be sent to this model. Rejects with the signal's reason alone. */
  async choose(frame: Frame, target: Target, fit: FitOptions, signal?: AbortSignal): Promise<Scaling> {
    const candidates = candidatesOf(frame, target, this.#options.scalings);
    // A preset that does not make this picture smaller.
    if (candidates.length === 0) return AS_STREAMED;
    const key = keyOf(target);
    if (this.#isDue(key, frame)) this.#check(key, { frame, target, fit, candidates });
    if (!this.#known.has(key)) {
      await this.#firstCheck(this.#options.firstCheckMs ?? (candidates.length > 1 ? 10_000 : 0), signal);
    }
    const chosen = this.#known.get(key)?.check.chosen.scaling;
    return candidates.find(({ scaling }) => scaling === chosen)?.scaling ?? wholeOf(candidates).scaling;
  }

  /** What is known of how legible images of these sizes are; undefined where it was not measured. */
  legibilityOf(target: Target, images: readonly Size[]): FrameLegibility | undefined {
    const known = this.#known.get(keyOf(target));
    const measured = known?.check.measured.get(sizesOf(images));
    if (!known || !measured) return undefined;
    const { share, characters, worst } = measured;
    return { share, characters, worst, frameNumber: known.frame.metadata?.frameNumber ?? known.frame.sequence };
  }

  /** Closes the reader, too. */
  readonly close = once(async () => {
    this.#closed = true;
    await this.#options.reader.close();
    await this.#checking;
  });

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isDue(key: string, frame: Frame): boolean {
    if (this.#closed || this.#checking) return false;
    const { restMs = 10_000, recheckMs = 60_000 } = this.#options;
    const restedMs = performance.now() - this.#endedAtMs;
    const hasRested = restedMs >= Math.max(restMs, REST_FACTOR * this.#tookMs);
    const known = this.#known.get(key);
    // Another model has its first check at once, unless checks fail.
    if (!known) return hasRested || this.#trouble === undefined;
    if (!hasRested) return false;
    const changed = changedShare(known.frame, frame);
    return changed >= OTHER_KIND || (changed > 0 && restedMs >= recheckMs);
  }

  #check(key: string, subject: Subject): void {
    const beganMs = performance.now();
    const first = this.#known.get(key)?.check.chosen.scaling;
    this.#checking = checkLegibility({ ...subject, atLeast: this.#atLeast, first }, this.#options.reader)
      .then((check) => {
        this.#known.set(key, { check, frame: subject.frame });
        this.#tell(check, key);
      })
      .catch((error) => this.#warn(`legibility is not known: ${toCapError(error).message}`))
      .finally(() => {
        this.#endedAtMs = performance.now();
        this.#tookMs = this.#endedAtMs - beganMs;
        this.#checking = undefined;
      });
  }

  async #firstCheck(longestMs: number, signal: AbortSignal | undefined): Promise<void> {
    const link = linkAbort(signal);
    try {
      const tooLong = sleep(longestMs, undefined, { signal: link.signal }).catch(() => {});
      await Promise.race([this.#checking, tooLong]);
    } finally {
      link.abort(undefined);
      link.release();
    }
    signal?.throwIfAborted();
  }

  #tell({ chosen, isLegible, legibility }: Check, key: string): void {
    const { scaling, tokens } = chosen;
    const share = legibility?.share;
    this.#options.logger?.debug('legibility checked', { for: key, preset: scaling.name, tokens, share });
    if (isLegible) {
      this.#trouble = undefined;
    } else if (share === undefined) {
      this.#warn('legibility is not known: the local reader cannot read most of the text');
    } else {
      const most = `${Math.round(share * 100)} % of the text is legible at ${scaling.name}`;
      this.#warn(this.#options.scalings.length === 1 ? most : `for ${key} no size will do: at most ${most}`);
    }
  }

  /** Once, until all is well again. */
  #warn(trouble: string): void {
    if (this.#closed) return;
    if (this.#trouble === undefined) this.#options.logger?.warn(trouble);
    this.#trouble = trouble;
  }
}

const keyOf = ({ provider, model }: Target): string => `${provider}/${model}`;
