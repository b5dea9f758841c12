import type { Answer, Receipt } from '../session/index.js';

type Output = { write(text: string): unknown };

/** One JSON object per answer, with its receipt where there is one; text boxes are for library users. */
export function answerJson({ lines: _, ...answer }: Answer, receipt?: Receipt): string {
  return `${JSON.stringify(receipt ? { ...answer, receipt } : answer)}\n`;
}

/** `frame 812, 21 ms old · 1 image 1280x720 · ~1196 tokens · 0.8 s`: what an answer rests on and cost. */
export function answerSummary(answer: Answer): string {
  const age = answer.frameAgeMs === undefined ? '' : `, ${Math.round(answer.frameAgeMs)} ms old`;
  const sizes = answer.images.map(({ width, height }) => `${width}x${height}`).join(' ');
  const usage = answer.reportedTokens;
  const estimated = answer.estimatedTokens > 0 ? ` · ~${answer.estimatedTokens} tokens` : '';
  const tokens = usage ? ` · ${usage.inputTokens} + ${usage.outputTokens} tokens` : estimated;
  const count = answer.images.length === 1 ? '1 image' : `${answer.images.length} images`;
  return `frame ${answer.frameNumber}${age} · ${count} ${sizes}${scale(answer)}${tokens} · ${(answer.latencyMs / 1000).toFixed(1)} s`;
}

/** ` at p4 · 98 % legible`, as far as it is known. */
function scale({ preset, legibility }: Answer): string {
  const legible = legibility === undefined ? '' : ` · ${Math.round(legibility.share * 100)} % legible`;
  return `${preset === undefined ? '' : ` at ${preset}`}${legible}`;
}

/** Prints answers as their text arrives, each under its time of day. */
export class AnswerPrinter {
  readonly #out: Output;
  #open = false;

  constructor(out: Output) {
    this.#out = out;
  }

  streamed(delta: string): void {
    if (!this.#open) this.#out.write(`${timeOfDay()}  `);
    this.#open = true;
    this.#out.write(delta.replaceAll('\n', '\n          '));
  }

  answered(answer: Answer): void {
    if (!this.#open) this.streamed(answer.text);
    this.#out.write(`\n          (${answerSummary(answer)})\n`);
    this.#open = false;
  }

  /** Ends a text that breaks off. */
  broken(): void {
    if (this.#open) this.#out.write(' …\n');
    this.#open = false;
  }
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}
