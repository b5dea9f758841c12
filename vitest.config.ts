import { defineConfig } from 'vitest/config';

/** Folders whose tests hear, see or count what happens at the moment: nothing else may run beside them. */
const ALONE = ['benchmarks', 'gateway', 'session', 'transport'];

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    // The addon holds GStreamer's threads: one process a file.
    pool: 'forks',
    testTimeout: 60_000,
    // What is waited for comes at once on an idle machine; on a busy one it may take its time.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: ALONE.map((folder) => `test/${folder}/**`),
          // Many of them wait for servers, displays and clients, and a machine may have two cores.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE.map((folder) => `test/${folder}/**/*.test.ts`),
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
