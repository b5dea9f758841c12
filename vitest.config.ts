import { defineConfig } from 'vitest/config';

/** Tests that hear, time or count what happens at the moment: nothing else may run beside them. */
const ALONE = [
  'benchmarks/*',
  'consumer/chaos',
  'session/{audio,audio-sync,closing,on-demand}',
  'transport/recording/segments',
  'transport/{join-and-leave,readers,sender-reports,slow-readers,timeline,unit-link}',
].map((name) => `test/${name}.test.ts`);

/** Takes minutes, and the kernel's leave to shape a network: `npm run test:network`. */
const NETWORK = 'test/transport/adaptive-rate.test.ts';
const network = process.env.npm_lifecycle_event === 'test:network';

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
          exclude: [...ALONE, NETWORK],
          // They wait most of the time for servers, displays and clients.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: network ? [NETWORK] : ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
