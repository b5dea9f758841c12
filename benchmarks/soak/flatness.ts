import { median } from '../median.js';

/** One thing that was watched, once a round. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** Growth for each hour of use beyond which it is not flat. */
  readonly bound: number;
}

export interface Flatness {
  readonly name: string;
  readonly unit: string;
  /** Of the rounds that are judged: the first ones fill caches and pools. */
  readonly first: number;
  readonly last: number;
  readonly most: number;
  readonly perHour: number;
  readonly bound: number;
  readonly flat: boolean;
}

/** The share of the rounds that is not judged. */
const WARM_UP = 0.25;

/** @param roundsPerHour how many rounds stand for an hour of use */
export function flatnessOf({ name, unit, values, bound }: Series, roundsPerHour: number): Flatness {
  const judged = values.slice(Math.ceil(values.length * WARM_UP));
  const perHour = slopeOf(judged) * roundsPerHour;
  const [first = 0] = judged;
  return {
    name,
    unit,
    first,
    last: judged.at(-1) ?? 0,
    most: Math.max(...judged),
    perHour,
    bound,
    flat: judged.length >= 2 && perHour <= bound,
  };
}

/** Theil and Sen's: the median of the slopes of all pairs. Single outliers, such as a late collection, count for nothing. */
function slopeOf(values: readonly number[]): number {
  const slopes = values.flatMap((from, i) => values.slice(i + 1).map((to, j) => (to - from) / (j + 1)));
  return slopes.length === 0 ? 0 : median(slopes);
}
