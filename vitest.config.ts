import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    // The addon holds GStreamer's threads: one process a file, and only one at a time, since many
    // files start servers, displays and encoders on a machine that may have two cores.
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    // What is waited for comes at once on an idle machine; on a busy one it may take its time.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
  },
});
