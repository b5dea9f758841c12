import { describe, expect, test } from 'vitest';
import { ChangeGate, type ChangeGateOptions } from '../../../src/consumer/gate/change-gate.js';
import type { Rect } from '../../../src/core/index.js';
import { BLACK, Canvas, RED, WHITE } from '../../support/canvas.js';
import { seededRandom } from '../../support/prng.js';

const CURSOR = { x: 40, y: 100, width: 2, height: 14 };
const DIALOG = { x: 100, y: 60, width: 120, height: 80 };
const VIDEO = { x: 160, y: 16, width: 144, height: 96 };
const STEP_MS = 100;

/** A gate on a canvas and a clock; whatever is news is shown at once. */
class Run {
  readonly canvas = new Canvas();
  readonly gate: ChangeGate;
  /** When something was shown. */
  readonly shownAtMs: number[] = [];
  nowMs = 0;

  constructor(options: ChangeGateOptions = {}) {
    this.gate = new ChangeGate(options);
    this.look();
  }

  /** One look, and whether it led to a picture. */
  look(damage?: readonly Rect[]): boolean {
    this.gate.look(this.canvas.frame(), damage, this.nowMs);
    const isNews = this.gate.isNews(this.nowMs);
    if (isNews) {
      this.gate.delivered(this.gate.show(false));
      this.shownAtMs.push(this.nowMs);
    }
    this.nowMs += STEP_MS;
    return isNews;
  }

  /** Looks for so long, drawing before each look. */
  during(durationMs: number, draw: (elapsedMs: number) => void = () => {}): number {
    const before = this.shownAtMs.length;
    for (let elapsed = 0; elapsed < durationMs; elapsed += STEP_MS) {
      draw(elapsed);
      this.look();
    }
    return this.shownAtMs.length - before;
  }
}

/** Digits as a clock has them: another picture each second. */
function drawSecond(canvas: Canvas, second: number): void {
  for (const [x, digit] of [
    [272, Math.floor(second / 10)],
    [288, second],
  ] as const) {
    canvas
      .fill({ x, y: 4, width: 16, height: 8 }, WHITE)
      .fill({ x: x + ((digit * 4) % 11), y: 4, width: 5, height: 8 }, BLACK);
  }
}

describe('what is news', () => {
  test('01 the first picture is, and a still screen after it never', () => {
    const run = new Run();
    expect(run.shownAtMs).toEqual([0]);
    expect(run.during(60_000)).toBe(0);
  });

  test('02 a character is, as are a line one pixel wide, a pale highlight and a change of colour alone', () => {
    const run = new Run();
    for (const [x, width, colour] of [
      [20, 6, BLACK],
      [60, 1, BLACK],
    ] as const) {
      run.canvas.fill({ x, y: 50, width, height: 9 }, colour);
      expect(run.look()).toBe(true);
    }
    run.canvas.fill({ x: 0, y: 150, width: 200, height: 18 }, [224, 230, 236]);
    expect(run.look()).toBe(true);
    run.canvas.fill({ x: 250, y: 150, width: 8, height: 8 }, [180, 60, 60]);
    expect(run.look()).toBe(true);
    run.canvas.fill({ x: 250, y: 150, width: 8, height: 8 }, [60, 120, 60]);
    expect(run.look()).toBe(true);
  });

  test('03 the noise of coding is not', () => {
    const run = new Run();
    const clean = new Canvas().frame();
    const { below } = seededRandom(1);
    for (let count = 0; count < 50; count += 1) {
      const noisy = new Canvas().noise({ x: 0, y: 0, ...run.canvas.size }, 6, below).frame();
      run.gate.look({ ...noisy, sequence: clean.sequence + 2 + count }, undefined, run.nowMs);
      expect(run.gate.isNews(run.nowMs)).toBe(false);
    }
  });

  test('04 a slow fade is, once it has come far enough', () => {
    const run = new Run();
    const shown = run.during(2000, (elapsed) => {
      const level = 230 - elapsed / 100;
      run.canvas.fill({ x: 0, y: 0, width: 320, height: 120 }, [level, level, level]);
    });
    expect(shown).toBeGreaterThan(0);
  });

  test('05 a change is named by where it is in the source', () => {
    const run = new Run();
    run.canvas.fill(DIALOG, RED);
    run.gate.look(run.canvas.frame(), undefined, run.nowMs);
    const [rect, ...others] = run.gate.changed(false) ?? [];
    expect(others).toEqual([]);
    // In whole cells of 16 pixels, those that the dialog reaches into.
    expect(rect).toEqual({ x: 96, y: 48, width: 128, height: 96 });
  });

  test('06 what the model never saw is news again', () => {
    const run = new Run();
    run.canvas.fill(DIALOG, RED);
    run.gate.look(run.canvas.frame(), undefined, run.nowMs);
    const reference = run.gate.show(false);
    expect(run.gate.isNews(run.nowMs)).toBe(false);
    run.gate.lost(reference);
    expect(run.gate.isNews(run.nowMs)).toBe(true);
    expect(run.gate.changed(false)).toHaveLength(1);
  });

  test('07 another size begins anew', () => {
    const run = new Run();
    run.gate.look({ ...new Canvas({ width: 64, height: 48 }).frame(), sequence: 9 }, [], run.nowMs);
    expect([run.gate.isNews(run.nowMs), run.gate.changed(false)]).toEqual([true, undefined]);
  });
});

describe('damage', () => {
  test('10 says where to look, and nothing else is looked at', () => {
    const run = new Run();
    run.canvas.fill(DIALOG, RED);
    expect(run.look([])).toBe(false);
    expect(run.look([{ x: 0, y: 0, width: 10, height: 10 }])).toBe(false);
    expect(run.look([DIALOG])).toBe(true);
  });

  test('11 without a difference in the pixels it is none', () => {
    const run = new Run();
    expect(run.look([{ x: 0, y: 0, ...run.canvas.size }])).toBe(false);
  });
});

describe('regions to ignore', () => {
  test('12 do not count, what stands beside them does', () => {
    const run = new Run({ ignoreRegions: [DIALOG] });
    run.canvas.fill(DIALOG, RED);
    expect(run.look()).toBe(false);
    run.canvas.fill({ x: DIALOG.x - 12, y: 70, width: 6, height: 9 }, BLACK);
    expect(run.look()).toBe(true);
  });
});

describe('repeaters', () => {
  test('20 a blinking cursor is shown a few times, and not for the next minute', () => {
    const run = new Run();
    const blink = (elapsed: number) => {
      run.canvas.fill(CURSOR, Math.floor(elapsed / 530) % 2 === 0 ? BLACK : WHITE);
    };
    expect(run.during(5000, blink)).toBeLessThanOrEqual(2);
    expect(run.during(60_000, blink)).toBe(0);
  });

  test('21 a clock is learned; a dialog beside it is shown, and the clock when it stops', () => {
    const run = new Run();
    let second = 0;
    const tick = (elapsed: number) => {
      if (elapsed % 1000 === 0) drawSecond(run.canvas, second++);
    };
    // Four changes of the seconds teach it, and four of the tens.
    expect(run.during(60_000, tick)).toBeLessThanOrEqual(8);
    expect(run.during(60_000, tick)).toBe(0);
    run.canvas.fill(DIALOG, RED);
    expect(run.look()).toBe(true);
    expect(run.during(10_000, tick)).toBe(0);
    expect(run.during(30_000)).toBeGreaterThanOrEqual(1);
  });

  test('22 the place of a clock is news when something else happens there', () => {
    const run = new Run();
    let second = 0;
    const tick = (elapsed: number) => {
      if (elapsed % 1000 === 0) drawSecond(run.canvas, second++);
    };
    run.during(10_000, tick);
    run.during(500);
    run.canvas.fill({ x: 272, y: 0, width: 48, height: 16 }, RED);
    expect(run.look()).toBe(true);
  });

  test('23 a video is learned; a dialog over it and a word beside it are shown, and its end', () => {
    const run = new Run();
    const { below } = seededRandom(2);
    const play = () => {
      run.canvas.noise(VIDEO, 60, below);
    };
    run.during(4000, play);
    expect(run.during(30_000, play)).toBe(0);
    run.canvas.fill({ x: 20, y: 200, width: 6, height: 9 }, BLACK);
    expect(run.look()).toBe(true);
    const dialog = { x: 192, y: 32, width: 64, height: 64 };
    const covered = run.during(2000, () => {
      play();
      run.canvas.fill(dialog, RED);
    });
    expect(covered).toBeGreaterThan(0);
    run.during(4000, play);
    const ended = run.nowMs;
    expect(run.during(3000)).toBeGreaterThan(0);
    expect((run.shownAtMs.at(-1) ?? 0) - ended).toBeLessThanOrEqual(2000);
    expect(run.during(10_000)).toBe(0);
  });

  test('24 a log that grows each second is no clock', () => {
    const run = new Run();
    const { below } = seededRandom(3);
    const scroll = (elapsed: number) => {
      if (elapsed % 1000 === 0) run.canvas.noise({ x: 0, y: 0, width: 320, height: 200 }, 90, below);
    };
    expect(run.during(20_000, scroll)).toBe(20);
  });

  test('25 a box that is ticked and unticked again is shown both times', () => {
    const run = new Run();
    run.during(3000);
    for (const colour of [BLACK, WHITE, BLACK]) {
      run.canvas.fill({ x: 80, y: 80, width: 10, height: 10 }, colour);
      expect(run.during(2000)).toBe(1);
    }
  });
});
