import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startResizableDisplay } from '../../test/support/resizable-display.js';
import { Activity, ROUNDS_PER_HOUR } from './activity.js';
import { type Flatness, flatnessOf } from './flatness.js';
import { type Holdings, type Leak, Subject } from './subject.js';

/** Most growth for each hour of use. */
export type Bounds = Readonly<Record<keyof Holdings, number>>;

/** An hour may cost this much and no more; of what is counted, nothing. */
const STRICT: Bounds = { memoryMb: 8, descriptors: 0.5, threads: 0.5, segments: 0.5, serverMemoryMb: 8 };

export interface SoakOptions {
  readonly seconds: number;
  readonly bounds?: Bounds;
  /** Left behind in every round. */
  readonly leaks?: readonly Leak[];
  readonly onRound?: (round: number, holdings: Holdings) => void;
}

export interface SoakReport {
  readonly rounds: number;
  readonly hours: number;
  /** Captured of the screen. */
  readonly frames: number;
  readonly rows: readonly Flatness[];
  readonly flat: boolean;
}

const NAMES: Readonly<Record<keyof Holdings, readonly [name: string, unit: string]>> = {
  memoryMb: ['memory', 'MB'],
  descriptors: ['descriptors', ''],
  threads: ['threads', ''],
  segments: ['shared segments', ''],
  serverMemoryMb: ["X server's memory", 'MB'],
};

/** Keeps a captured desktop busy, and says whether what the capturing process holds stays flat. */
export async function soak({ seconds, bounds = STRICT, leaks = [], onRound }: SoakOptions): Promise<SoakReport> {
  const folder = await mkdtemp(join(tmpdir(), 'cap-soak-'));
  await using display = await startResizableDisplay();
  try {
    await using subject = await Subject.start(display);
    await using activity = await Activity.start(display, subject, folder);
    const samples: Holdings[] = [];
    const endMs = performance.now() + seconds * 1000;
    while (performance.now() < endMs) {
      await activity.round();
      for (const leak of leaks) await subject.tell(`leak ${leak}`);
      const holdings = await subject.holdings();
      samples.push(holdings);
      onRound?.(samples.length, holdings);
    }
    const rows = (Object.keys(NAMES) as (keyof Holdings)[]).map((key) => {
      const [name, unit] = NAMES[key];
      const values = samples.map((sample) => sample[key]);
      return flatnessOf({ name, unit, values, bound: bounds[key] }, ROUNDS_PER_HOUR);
    });
    const rounds = samples.length;
    return {
      rounds,
      hours: rounds / ROUNDS_PER_HOUR,
      frames: subject.frames,
      rows,
      flat: rows.every(({ flat }) => flat),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
