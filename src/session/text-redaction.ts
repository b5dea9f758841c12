import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { SecretFinder } from '../consumer/index.js';
import { readOcrModels } from '../consumer/ocr/models.js';
import type { TextReader } from '../consumer/ocr/page-reader.js';
import { openTextReader } from '../consumer/ocr/process-reader.js';
import { CapError, type Closable, type Logger, once, type Rect, toCapError } from '../core/index.js';
import type { Redactor, UnreadPicture } from '../producer/index.js';

/** What is masked, and what was read for it. */
export interface RedactionStats {
  /** Pixels of the source that are masked at present. */
  readonly maskedPixels: number;
  /** Pixels of the source that have changed and were not read since. */
  readonly unreadPixels: number;
  /** Pictures that were read, whole or in part. */
  readonly reads: number;
  /** Times that a picture could not be read. */
  readonly failures: number;
  /** Lines in which text was found that is to be masked; again each time that they are read. */
  readonly matches: number;
  /** Time that reading took, summed. */
  readonly readSeconds: number;
}

/** The reader looks for text in a picture of this size at most; wider ones are read in parts. */
const MOST_WIDTH_PX = 1920;
/** What two parts have in common: longer lines are cut in both. */
const OVERLAP_PX = 640;
const READ_TIMEOUT_MS = 60_000;
const PAUSE_MS = 1000;

/** Reads what has changed before, or just after, it is shown, and has masked what matches. */
export class TextRedaction implements Closable {
  readonly #finder: SecretFinder;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  #reader: TextReader | undefined;
  #work: Promise<void> | undefined;
  #failing = false;
  #counts = { reads: 0, failures: 0, matches: 0, readSeconds: 0 };

  private constructor(finder: SecretFinder, logger: Logger) {
    this.#finder = finder;
    this.#logger = logger;
  }

  /** @throws CAP_USAGE, CAP_DEPENDENCY_MISSING when no text can be read here */
  static async open(patterns: readonly string[], logger: Logger): Promise<TextRedaction> {
    const finder = new SecretFinder(patterns);
    await readOcrModels();
    return new TextRedaction(finder, logger);
  }

  get counts(): Omit<RedactionStats, 'maskedPixels' | 'unreadPixels'> {
    return this.#counts;
  }

  /** Reads whatever the redactor wants to have read, until it is closed. */
  start(redactor: Redactor): void {
    redactor.on('unread', () => {
      this.#work ??= this.#readAll(redactor).finally(() => {
        this.#work = undefined;
      });
    });
  }

  readonly close = once(async () => {
    this.#closing.abort();
    await this.#reader?.close();
    await this.#work;
  });

  async #readAll(redactor: Redactor): Promise<void> {
    const { signal } = this.#closing;
    for (let picture = redactor.take(); picture && !signal.aborted; picture = redactor.take()) {
      try {
        const startedMs = performance.now();
        const matched = await this.#findIn(picture);
        if (signal.aborted) return;
        redactor.settle(matched);
        this.#counts.reads += 1;
        this.#counts.matches += matched.length;
        this.#counts.readSeconds += (performance.now() - startedMs) / 1000;
        if (this.#failing) this.#logger.info('text is read again: what was hidden is shown once it has been');
        this.#failing = false;
      } catch (error) {
        if (signal.aborted) return;
        await this.#onFailure(redactor, toCapError(error));
      }
    }
  }

  async #onFailure(redactor: Redactor, error: CapError): Promise<void> {
    redactor.fail();
    this.#counts.failures += 1;
    // Nothing of the picture may be in a log, so only the error's own words.
    if (!this.#failing) this.#logger.error(`what changes is hidden, as its text cannot be read: ${error.message}`);
    this.#failing = true;
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
    await sleep(PAUSE_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
  }

  async #findIn(picture: UnreadPicture): Promise<Rect[]> {
    const { luma, x, y, width, height } = picture;
    this.#reader ??= await openTextReader();
    const matched: Rect[] = [];
    for (const left of partsOf(width)) {
      const part = { left, top: 0, width: Math.min(MOST_WIDTH_PX, width - left), height };
      const page = sharp(luma, { raw: { width, height, channels: 1 } }).extract(part);
      const png = await page.png({ compressionLevel: 1 }).toBuffer();
      const lines = await withinTime(this.#reader.read(png));
      for (const box of this.#finder.find(lines)) matched.push({ ...box, x: box.x + x + left, y: box.y + y });
    }
    return matched;
  }
}

/** What `CaptureSession.stats` says of it. */
export function redactionStats(
  redactor: Redactor | undefined,
  texts: TextRedaction | undefined,
): RedactionStats | undefined {
  if (!redactor) return undefined;
  return { reads: 0, failures: 0, matches: 0, readSeconds: 0, ...texts?.counts, ...redactor.stats };
}

/** Left edges of the parts that a picture of that width is read in. */
function partsOf(width: number): number[] {
  const count = width <= MOST_WIDTH_PX ? 1 : 1 + Math.ceil((width - MOST_WIDTH_PX) / (MOST_WIDTH_PX - OVERLAP_PX));
  return Array.from({ length: count }, (_, part) =>
    Math.max(0, Math.min(part * (MOST_WIDTH_PX - OVERLAP_PX), width - MOST_WIDTH_PX)),
  );
}

async function withinTime<T>(reading: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const timeout = sleep(READ_TIMEOUT_MS, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new CapError('CAP_INTERNAL', `the text reader took longer than ${READ_TIMEOUT_MS / 1000} seconds`);
  });
  timeout.catch(() => {});
  try {
    return await Promise.race([reading, timeout]);
  } finally {
    timer.abort();
  }
}
