import { setTimeout as sleep } from 'node:timers/promises';
import type { Frame, Rect } from '../../core/index.js';
import type { FrameSource } from '../frame-source.js';
import { linkAbort } from '../linked-abort.js';
import type { SendReason } from '../receipt.js';
import type { WatchAccounts } from '../watch-accounts.js';
import { ChangeGate, type ChangeGateOptions, type Reference } from './change-gate.js';

/** When a change is shown. */
export interface GateOptions extends ChangeGateOptions {
  /** A change is shown once nothing has changed for this long; 0 shows it at once. @default 300 */
  readonly settleMs?: number;
  /** But no later than this after the change began. @default 2000 */
  readonly settleMaxMs?: number;
  /** After this long without a picture one is shown whatever it shows; 0 never. @default 300_000 */
  readonly heartbeatMs?: number;
}

/** A frame worth showing, and why. */
export interface Pick {
  readonly frame: Frame;
  readonly reason: SendReason;
  readonly changed?: readonly Rect[] | undefined;
  readonly reference?: Reference;
}

/** Chooses the frames of a stream that are shown. */
export interface Picker {
  /** Looks until the signal, or until the source fails, whose error this rejects with. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when there is a frame to be shown, which may still give way to a newer one; one call at a time. */
  ready(signal: AbortSignal): Promise<void>;
  /** The frame to be shown next, waiting for it; one call at a time. Rejects with the signal's reason. */
  pick(signal: AbortSignal): Promise<Pick>;
  /** The model has seen it. */
  delivered(pick: Pick): void;
  /** The model has not: what is new in it is so still. */
  lost(pick: Pick): void;
}

/** Looks that come closer together see little more, and each costs some milliseconds. */
const LOOK_EVERY_MS = 80;
const CHECK_EVERY_MS = 50;

/**
 * Looks at a stream all the time, also while requests are under way, and keeps the newest frame that is
 * worth showing. A frame gives way only to one that has changed again, so what was there for a moment is
 * shown also when the model is slow.
 */
export class FramePicker implements Picker {
  readonly #source: FrameSource;
  readonly #accounts: WatchAccounts;
  readonly #gate: ChangeGate;
  readonly #settleMs: number;
  readonly #settleMaxMs: number;
  readonly #heartbeatMs: number;
  /** The frame looked at last, when it is not decided yet what becomes of it. */
  #held: Frame | undefined;
  #waiting: Pick | undefined;
  #burst: { readonly sinceMs: number; lastMs: number } | undefined;
  #shownAtMs: number | undefined;
  #wake: (() => void) | undefined;

  constructor(source: FrameSource, accounts: WatchAccounts, options: GateOptions = {}) {
    this.#source = source;
    this.#accounts = accounts;
    this.#gate = new ChangeGate(options.ignoreRegions ? { ignoreRegions: options.ignoreRegions } : {});
    this.#settleMs = options.settleMs ?? 300;
    this.#settleMaxMs = options.settleMaxMs ?? 2000;
    this.#heartbeatMs = options.heartbeatMs ?? 300_000;
  }

  async run(signal: AbortSignal): Promise<void> {
    const link = linkAbort(signal);
    try {
      let arriving = this.#next(link.signal);
      while (!signal.aborted) {
        const frame = await this.#frameOrTick(arriving, signal);
        const nowMs = performance.now();
        if (frame) {
          this.#lookAt(frame, nowMs);
          const restMs = Math.max(LOOK_EVERY_MS, 2 * (performance.now() - nowMs));
          arriving = sleep(restMs, undefined, { signal: link.signal }).then(() => this.#next(link.signal));
          arriving.catch(() => {});
        }
        this.#decide(nowMs);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      link.abort(new Error('the picker has ended'));
      link.release();
      if (this.#waiting) this.#accounts.settle('aborted');
      this.#waiting = undefined;
      this.#letGo();
    }
  }

  async ready(signal: AbortSignal): Promise<void> {
    while (!this.#waiting) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  async pick(signal: AbortSignal): Promise<Pick> {
    for (;;) {
      await this.ready(signal);
      signal.throwIfAborted();
      const pick = this.#waiting;
      this.#waiting = undefined;
      if (pick) return pick;
    }
  }

  delivered({ reference }: Pick): void {
    if (reference) this.#gate.delivered(reference);
  }

  lost({ reference }: Pick): void {
    if (reference) this.#gate.lost(reference);
  }

  #next(signal: AbortSignal): Promise<Frame> {
    const arriving = this.#source.next({ afterSequence: this.#accounts.lastSequence, signal });
    arriving.catch(() => {});
    return arriving;
  }

  /** Undefined when there is something to decide before another frame comes. */
  async #frameOrTick(arriving: Promise<Frame>, signal: AbortSignal): Promise<Frame | undefined> {
    const waitMs = this.#waitMs();
    if (waitMs === undefined) return arriving;
    const link = linkAbort(signal);
    try {
      return await Promise.race([arriving, sleep(waitMs, undefined, { signal: link.signal })]);
    } finally {
      link.abort(undefined);
      link.release();
    }
  }

  #waitMs(): number | undefined {
    if (this.#burst || this.#gate.isRestless) return CHECK_EVERY_MS;
    if (this.#heartbeatMs === 0 || this.#shownAtMs === undefined || this.#waiting || !this.#held) return undefined;
    return Math.max(1, this.#shownAtMs + this.#heartbeatMs - performance.now());
  }

  #lookAt(frame: Frame, nowMs: number): void {
    this.#letGo();
    this.#accounts.take(frame.sequence);
    this.#held = frame;
    const { newestSequence } = this.#gate;
    const damage =
      newestSequence === undefined ? undefined : this.#source.damageBetween?.(newestSequence, frame.sequence);
    const isNew = this.#gate.look(frame, damage, nowMs);
    if (isNew && this.#burst) this.#burst.lastMs = nowMs;
  }

  #decide(nowMs: number): void {
    if (!this.#held) return;
    if (this.#gate.isNews(nowMs)) this.#burst ??= { sinceMs: nowMs, lastMs: nowMs };
    else this.#burst = undefined;
    if (!this.#gate.hasShown) this.#show('first', nowMs);
    else if (this.#burst && this.#hasSettled(this.#burst, nowMs)) this.#show('changed', nowMs);
    else if (this.#isHeartbeatDue(nowMs)) this.#show('heartbeat', nowMs);
  }

  #hasSettled({ sinceMs, lastMs }: { sinceMs: number; lastMs: number }, nowMs: number): boolean {
    return nowMs - lastMs >= this.#settleMs || nowMs - sinceMs >= this.#settleMaxMs;
  }

  #isHeartbeatDue(nowMs: number): boolean {
    if (this.#heartbeatMs === 0 || this.#waiting) return false;
    return nowMs - (this.#shownAtMs ?? nowMs) >= this.#heartbeatMs;
  }

  #show(reason: SendReason, nowMs: number): void {
    const frame = this.#held;
    if (!frame) return;
    // What was there for a moment waits still, and the screen is as before: it is shown first.
    if (this.#waiting && this.#gate.isUndone(nowMs)) return;
    const replaced = this.#waiting;
    if (replaced) this.#accounts.settle('superseded');
    const changed = this.#gate.changed(replaced !== undefined);
    this.#waiting = {
      frame,
      reason: replaced?.reason === 'first' ? 'first' : reason,
      changed,
      reference: this.#gate.show(replaced !== undefined),
    };
    this.#held = undefined;
    this.#burst = undefined;
    this.#shownAtMs = nowMs;
    this.#wake?.();
    this.#wake = undefined;
  }

  /** A frame that was looked at and not shown: replaced in the middle of a change, or nothing had changed. */
  #letGo(): void {
    if (!this.#held) return;
    this.#accounts.settle(this.#burst ? 'superseded' : 'gated');
    this.#held = undefined;
  }
}
