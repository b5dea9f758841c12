import { describe, expect, test } from 'vitest';
import { RateController, type ReaderState } from '../../src/transport/index.js';

const CEILING = { maxBitrateKbps: 6000, fps: 30 };

/** Reports that come in each period, of the period before. */
class Course {
  readonly controller = new RateController();
  readonly rates: number[] = [];
  number = 0;

  get kbps(): number {
    return this.controller.rateOf(CEILING).maxBitrateKbps;
  }

  /** One period; each reader by what its connection takes, in kbit/s. */
  period(...linksKbps: readonly number[]): void {
    this.number += 1;
    const readers = linksKbps.map((link) => this.#reader(link));
    this.controller.update({ number: this.number, readers, ceilingKbps: CEILING.maxBitrateKbps });
    this.rates.push(this.kbps);
  }

  periods(count: number, ...linksKbps: readonly number[]): this {
    for (let index = 0; index < count; index++) this.period(...linksKbps);
    return this;
  }

  #reader(link: number): ReaderState {
    const arrivedKbps = Math.min(link, this.kbps);
    const delivered = arrivedKbps / this.kbps;
    return {
      congestion: (1 - delivered) / 0.03,
      delivered,
      arrived: arrivedKbps / this.kbps,
      measuredFrom: this.number - 1,
      cameAt: this.number,
    };
  }
}

const changes = (rates: readonly number[]): number => rates.filter((rate, index) => rate !== rates[index - 1]).length;

test('all is well: nothing changes', () => {
  expect(new Course().periods(100, 10_000).rates.every((rate) => rate === 6000)).toBe(true);
});

test('one report is enough to go under what arrives, and not far under', () => {
  const course = new Course().periods(5, 10_000).periods(2, 1500);
  expect(course.kbps).toBeLessThan(1500);
  expect(course.kbps).toBeGreaterThan(750);
});

test('settles: over five minutes it tries for more ever less often, by a rung, and goes back at once', () => {
  const course = new Course().periods(20, 1500);
  const early = changes(course.periods(60, 1500).rates.slice(-60));
  course.periods(180, 1500);
  const late = course.periods(60, 1500).rates.slice(-60);
  expect(changes(late)).toBeLessThan(early);
  expect(changes(late)).toBeLessThanOrEqual(5);
  expect(Math.max(...late)).toBeLessThan(1500 * 1.25);
  const over = late.filter((rate) => rate > 1500).length;
  expect(over / late.length).toBeLessThan(0.1);
});

test('climbs back to the top when the network is repaired, a rung at a time', () => {
  const course = new Course().periods(10, 1500);
  const from = course.rates.length;
  course.periods(120, 10_000);
  expect(course.kbps).toBe(6000);
  const climb = course.rates.slice(from);
  for (const [index, rate] of climb.entries()) expect(rate).toBeLessThanOrEqual((climb[index - 1] ?? 1500) * 1.26);
});

test('never goes under 300 kbit/s and 5 fps, nor over what a stream may send', () => {
  const { controller } = new Course().periods(200, 1);
  expect(controller.rateOf(CEILING)).toEqual({ maxBitrateKbps: 300, fps: 5 });
  expect(controller.rateOf({ maxBitrateKbps: 200, fps: 3 })).toEqual({ maxBitrateKbps: 200, fps: 3 });
});

test('frames become fewer with the bits, and not at the first step', () => {
  const course = new Course();
  const pairs: [number, number][] = [];
  for (const link of [5000, 3000, 2000, 1200, 700, 400]) {
    course.periods(3, link);
    const { maxBitrateKbps, fps } = course.controller.rateOf(CEILING);
    pairs.push([maxBitrateKbps, fps]);
  }
  const fps = pairs.map(([, rate]) => rate);
  expect(fps[0]).toBe(30);
  expect([...fps].sort((a, b) => b - a)).toEqual(fps);
  expect(fps.at(-1)).toBeLessThanOrEqual(10);
});

describe('of several readers', () => {
  test('the worst one does not ruin it for the others', () => {
    expect(new Course().periods(60, 200, 10_000, 10_000, 10_000).kbps).toBe(6000);
    expect(new Course().periods(60, 200, 10_000).kbps).toBe(6000);
  });

  test('what most of them miss is taken for the way that they share', () => {
    expect(new Course().periods(10, 1500, 1500, 1500, 10_000).kbps).toBeLessThan(1500);
  });
});

test('a report from before the last step is no reason for another one', () => {
  const controller = new RateController();
  const bad = (measuredFrom: number, cameAt: number): ReaderState => ({
    congestion: 10,
    delivered: 0.7,
    arrived: 0.7,
    measuredFrom,
    cameAt,
  });
  const update = (number: number, reader: ReaderState): boolean =>
    controller.update({ number, readers: [reader], ceilingKbps: 6000 });
  expect(update(5, bad(0, 5))).toBe(true);
  expect(update(6, bad(0, 5))).toBe(false); // the same one
  expect(update(7, bad(5, 7))).toBe(false); // of what was under way
  expect(update(9, bad(7, 9))).toBe(true);
});

test('without a reader there is nothing to decide', () => {
  const controller = new RateController();
  expect(controller.update({ number: 1, readers: [], ceilingKbps: 6000 })).toBe(false);
  expect(controller.rung).toBe(0);
});
