import type { Mp4Recorder } from '../session/index.js';

const TERMINAL_INTERVAL_MS = 500;
const LOG_INTERVAL_MS = 10_000;

/** Says on standard error how a recording goes: one line rewritten in a terminal, a line now and then elsewhere. */
export class RecordingProgress {
  readonly #recorder: Mp4Recorder;
  readonly #isTerminal = process.stderr.isTTY === true;
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(recorder: Mp4Recorder) {
    this.#recorder = recorder;
    this.#timer = setInterval(() => this.#show(), this.#isTerminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS);
    this.#timer.unref();
  }

  /** The last word, when the file is finished. */
  end(): void {
    this.close();
    const text = isEmpty(this.#recorder) ? NOTHING : `recorded ${this.#text()} into ${filesText(this.#recorder)}`;
    process.stderr.write(`${this.#isTerminal ? '\r\u001b[K' : ''}${text}\n`);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #show(): void {
    process.stderr.write(this.#isTerminal ? `\r\u001b[Krecording ${this.#text()}` : `recording ${this.#text()}\n`);
  }

  #text(): string {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return `${seconds.toFixed(1)} s, ${sizeText(this.#recorder)}`;
  }
}

/** What is said of a finished file. */
export function recordedText(recorder: Mp4Recorder): string {
  return isEmpty(recorder) ? NOTHING : `recorded ${sizeText(recorder)} into ${filesText(recorder)}`;
}

/** Without a picture there is no file. */
const isEmpty = ({ stats }: Mp4Recorder): boolean => stats.delivered === 0;
const NOTHING = 'recorded nothing: no picture came';

function filesText({ path, stats: { segments } }: Mp4Recorder): string {
  return segments > 1 ? `${segments} files, the last ${path}` : path;
}

function sizeText({ stats: { delivered, dropped, bytes } }: Mp4Recorder): string {
  const lost = dropped > 0 ? `, ${dropped} frames lost to a slow disk` : '';
  return `${delivered} frames, ${(bytes / 1e6).toFixed(1)} MB${lost}`;
}
