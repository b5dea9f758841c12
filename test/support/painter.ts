import type { TestDisplay } from './display.js';
import { start } from './process.js';
import { program } from './programs.js';

/** Draws on a display what it is told; each call resolves when the X server has done it. */
export interface Painter extends AsyncDisposable {
  /** `count` random rectangles, texts and window changes; the same for the same seed. */
  random(seed: number, count: number): Promise<void>;
  /** The same, one every so often, with moves of the pointer between. */
  steady(seed: number, count: number, intervalMs: number): Promise<void>;
  /** Moves the pointer to `count` random places. */
  pointer(seed: number, count: number): Promise<void>;
  /** One character in a cell of 10x16 pixels. */
  char(x: number, y: number, character: string): Promise<void>;
}

export async function startPainter(display: TestDisplay): Promise<Painter> {
  const process = start(await program('painter'), [], { env: display.env, keepStdinOpen: true });
  let sent = 0;
  const tell = async (line: string): Promise<void> => {
    sent += 1;
    process.stdin.write(`${line}\n`);
    await process.waitForOutput(new RegExp(`(?:done\n){${sent}}`));
  };
  try {
    await process.waitForOutput(/ready/);
  } catch (error) {
    await process.close();
    throw error;
  }
  return {
    random: (seed, count) => tell(`random ${seed} ${count}`),
    steady: (seed, count, intervalMs) => tell(`steady ${seed} ${count} ${intervalMs}`),
    pointer: (seed, count) => tell(`pointer ${seed} ${count}`),
    char: (x, y, character) => tell(`char ${x} ${y} ${character}`),
    [Symbol.asyncDispose]: () => process.close(),
  };
}
