import { beforeAll, describe, expect, test } from 'vitest';
import { flatnessOf } from '../../benchmarks/soak/flatness.js';
import { type Bounds, type SoakReport, soak } from '../../benchmarks/soak/soak.js';
import { buildCommands } from '../support/cap.js';

/** A short run has few rounds, in which allocators still fill up: a tenth of what is planted here a round. */
const GENEROUS: Bounds = { memoryMb: 180, descriptors: 30, threads: 30, segments: 30, serverMemoryMb: 180 };

beforeAll(buildCommands);

const growing = ({ rows }: SoakReport): string[] => rows.filter(({ flat }) => !flat).map(({ name }) => name);

describe('what is flat', () => {
  const judge = (values: readonly number[]) => flatnessOf({ name: 'x', unit: '', values, bound: 0.5 }, 60);

  test('steps that settle, and single outliers', () => {
    expect(judge([1, 5, 9, 20, 20, 20, 20, 20, 20, 20, 20, 20])).toMatchObject({ flat: true, perHour: 0 });
    expect(judge([7, 7, 7, 7, 90, 7, 7, 7, 7, 7, 60, 7])).toMatchObject({ flat: true, most: 90 });
    expect(judge([9, 9, 8, 8, 7, 7, 6, 6]).flat).toBe(true);
  });

  test('slow growth is not', () => {
    expect(judge(Array.from({ length: 200 }, (_, i) => 30 + Math.floor(i / 50)))).toMatchObject({ flat: false });
    expect(judge(Array.from({ length: 12 }, (_, i) => 30 + i))).toMatchObject({ flat: false, perHour: 60 });
    expect(judge([5]).flat).toBe(false);
  });
});

describe('a desktop at work', () => {
  test('leaves memory, descriptors, threads and segments flat', async () => {
    const report = await soak({ seconds: 25, bounds: GENEROUS });
    expect(report.rounds).toBeGreaterThanOrEqual(4);
    expect(report.frames).toBeGreaterThan(report.rounds * 50);
    expect(report.rows.map(({ name }) => name)).toContain('shared segments');
    expect(report.rows.every(({ most }) => most > 0)).toBe(true);
    expect(growing(report)).toEqual([]);
  });

  test('what is left behind is found', async () => {
    const leaks = ['memory', 'descriptors', 'threads'] as const;
    expect(growing(await soak({ seconds: 15, bounds: GENEROUS, leaks }))).toEqual(leaks);
  });
});
