import type { Rect, Size } from '../../src/core/index.js';
import type { TestDisplay } from '../../test/support/display.js';
import { type RunningProcess, start } from '../../test/support/process.js';
import { program } from '../../test/support/programs.js';
import { cut, drawSvg, grow, type Pixels, paste } from './pixels.js';

/** Something that a watcher has to see. */
export interface Change {
  readonly scene: string;
  /** When the X server had drawn it, in milliseconds of `performance.now()`. */
  readonly atMs: number;
  readonly rect: Rect;
  /** What can be read afterwards, and where; undefined where something has gone. */
  readonly fact?: { readonly text: string; readonly rect: Rect };
  /** The same part of the screen, with some of what is around, before and after. */
  readonly around: Rect;
  readonly before: Pixels;
  readonly after: Pixels;
}

/** What stood on the screen from then on. */
export interface ScreenText {
  readonly atMs: number;
  readonly texts: readonly string[];
}

const AROUND_PX = 32;
/** Of a character, at most and on average. */
const WIDEST_PX = 10.9;
export const FONT_PX = 18;
export const LINE_PX = 28;

/** A screen drawn from SVG, of which every pixel and every word is known. */
export class Desktop implements AsyncDisposable {
  readonly size: Size;
  readonly changes: Change[] = [];
  readonly history: ScreenText[] = [];
  readonly #window: RunningProcess;
  readonly #screen: Pixels;
  /** What is written, by its place. */
  readonly #texts = new Map<string, { rect: Rect; text: string }>();
  #shown = 0;
  scene = '';

  private constructor(size: Size, window: RunningProcess) {
    this.size = size;
    this.#window = window;
    this.#screen = { ...size, data: Buffer.alloc(size.width * size.height * 3, 255) };
  }

  static async open(display: TestDisplay, size: Size): Promise<Desktop> {
    const window = start(await program('patch_window'), [], { env: display.env, keepStdinOpen: true });
    try {
      await window.waitForOutput(/ready/);
      return new Desktop(size, window);
    } catch (error) {
      await window.close();
      throw error;
    }
  }

  /** Draws on a piece of the screen; resolves when the X server has it. */
  async draw(rect: Rect, body: string, texts: readonly { rect: Rect; text: string }[] = []): Promise<void> {
    await this.put(rect, await drawSvg(rect, body), texts);
  }

  /** Puts pixels on a piece of the screen. */
  async put(rect: Rect, piece: Pixels, texts: readonly { rect: Rect; text: string }[] = []): Promise<void> {
    paste(this.#screen, rect, piece);
    for (const [key, { rect: old }] of this.#texts) if (isInside(old, rect)) this.#texts.delete(key);
    for (const one of texts) this.#texts.set(`${one.rect.x},${one.rect.y}`, one);
    this.#shown += 1;
    this.#window.stdin.write(`${rect.x} ${rect.y} ${rect.width} ${rect.height}\n`);
    this.#window.stdin.write(toBgrx(piece.data));
    await this.#window.waitForOutput(new RegExp(`shown ${this.#shown}\n`));
    this.history.push({ atMs: performance.now(), texts: [...this.#texts.values()].map(({ text }) => text) });
  }

  /** The pixels of a piece as they are now. */
  copy(rect: Rect): Pixels {
    return cut(this.#screen, rect);
  }

  /**
   * Does something that is to be seen at a place of the screen.
   *
   * @param text that can be read then, in `read`
   */
  async change(rect: Rect, text: string | undefined, act: () => Promise<void>, read = rect): Promise<void> {
    const around = grow(rect, AROUND_PX, this.size);
    const before = this.copy(around);
    await act();
    const atMs = performance.now();
    const after = this.copy(around);
    this.changes.push({
      scene: this.scene,
      atMs,
      rect,
      around,
      before,
      after,
      ...(text ? { fact: { text, rect: written(text, read) } } : {}),
    });
  }

  textAt(atMs: number): readonly string[] {
    return this.history.findLast((one) => one.atMs <= atMs)?.texts ?? [];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#window.close();
  }
}

/** The part of a place that a line of text takes. */
function written(text: string, { x, y, width, height }: Rect): Rect {
  return { x, y, width: Math.min(width, 12 + Math.ceil(text.length * WIDEST_PX)), height };
}

function isInside(inner: Rect, outer: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function toBgrx(rgb: Buffer): Buffer {
  const out = Buffer.alloc((rgb.length / 3) * 4);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    out[to] = rgb[from + 2] as number;
    out[to + 1] = rgb[from + 1] as number;
    out[to + 2] = rgb[from] as number;
  }
  return out;
}
