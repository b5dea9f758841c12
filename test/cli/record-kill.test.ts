import { beforeAll, expect, test } from 'vitest';
import { buildCommands } from '../support/cap.js';
import { startDisplay } from '../support/display.js';
import { KILL_CASES, killRecording } from '../support/recording-kills.js';

beforeAll(buildCommands);

// `npm run kills` does it 50 times.
test.each(KILL_CASES)('kill -9 while %s is recorded costs less than a second', async (what) => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 360 });
  for (const afterMs of [50, 1900, 3100]) {
    const { lostMs, missing } = await killRecording(what, display, afterMs);
    expect(lostMs).toBeLessThan(1000);
    expect(missing).toBe(0);
  }
});
