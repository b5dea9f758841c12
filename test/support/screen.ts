import type { TestDisplay } from './display.js';
import { type RunningProcess, start } from './process.js';
import { program } from './programs.js';

/** What moves beside the clock: nothing (it ticks once a second), a box, or every pixel. */
export type ClockMode = 'still' | 'box' | 'full';

export interface ClockOptions {
  /** At least 1152, the width of the strip. */
  readonly widthPx: number;
  /** At least 400. */
  readonly heightPx: number;
  /** @default 'box' */
  readonly mode?: ClockMode;
}

/** Draws the clock strip that `readClock` reads back from a stream. */
export async function showClock(display: TestDisplay, options: ClockOptions): Promise<RunningProcess> {
  const { widthPx, heightPx, mode = 'box' } = options;
  const window = start(await program('clock_window'), [`${widthPx}`, `${heightPx}`, mode], { env: display.env });
  try {
    await window.waitForOutput(/ready/);
    return window;
  } catch (error) {
    await window.close();
    throw error;
  }
}

/** A window that shows pictures pixel for pixel at the top left of a display. */
export interface PictureWindow extends AsyncDisposable {
  readonly process: RunningProcess;
  /** `0x600001`. */
  readonly id: string;
  /** Resolves once the X server shows it. */
  show(picture: Picture): Promise<void>;
  close(): Promise<void>;
}

export interface Picture {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Red, green, blue; three bytes a pixel, no padding. */
  readonly rgb: Uint8Array;
}

export async function showPicture(display: TestDisplay, first: Picture): Promise<PictureWindow> {
  const size = [`${first.widthPx}`, `${first.heightPx}`];
  const process = start(await program('image_window'), size, { env: display.env, keepStdinOpen: true });
  let shown = 0;
  const show = async (picture: Picture) => {
    if (picture.widthPx !== first.widthPx || picture.heightPx !== first.heightPx) {
      throw new Error(`the window shows ${size.join('x')}, not ${picture.widthPx}x${picture.heightPx}`);
    }
    shown += 1;
    process.stdin.write(toBgrx(picture.rgb));
    await process.waitForOutput(new RegExp(`shown ${shown}\n`));
  };
  const close = () => process.close();
  try {
    await show(first);
  } catch (error) {
    await close();
    throw error;
  }
  const id = /^window (\S+)$/m.exec(process.stdout)?.[1] ?? '';
  return { process, id, show, close, [Symbol.asyncDispose]: close };
}

function toBgrx(rgb: Uint8Array): Uint8Array {
  const out = new Uint8Array((rgb.length / 3) * 4);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    out[to] = rgb[from + 2] ?? 0;
    out[to + 1] = rgb[from + 1] ?? 0;
    out[to + 2] = rgb[from] ?? 0;
  }
  return out;
}
