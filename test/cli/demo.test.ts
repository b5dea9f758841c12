import { beforeAll, expect, test } from 'vitest';
import { buildCommands, ProcessMark, startCommand } from '../support/cap.js';
import { startDisplay } from '../support/display.js';
import { occupyPort } from '../support/port.js';
import { start } from '../support/process.js';

beforeAll(buildCommands);

const SUMMARY =
  /\ncaptured \d+ frames, encoded [1-9]\d* of them once, \d+ KiB\nreceived [1-9]\d* frames, sent [1-9]\d* of them to the reader, \d+ tokens\nage of a frame when it was sent: \d+ ms \(median; [^)]*\)\n$/;

test('without a display the demo starts one, reads its words over RTSP, sums up and leaves nothing', async () => {
  const mark = new ProcessMark();
  await using demo = startCommand('demo', ['-d', '8s'], { env: mark.env });
  expect(await demo.waitForExit(30_000)).toEqual({ code: 0, signal: null });
  expect(demo.stderr).toBe('');
  expect(demo.stdout).toMatch(/^There is no display: started a virtual one, :\d+, with a terminal on it\n/);
  expect(demo.stdout).toMatch(/\nServing rtsp:\/\/127\.0\.0\.1:\d+\/cap\n {2}to watch it: vlc rtsp:/);
  for (const words of ['Build server status', 'run the unit tests', 'publish the release notes']) {
    expect(demo.stdout).toContain(words);
  }
  expect(demo.stdout).toMatch(SUMMARY);
  await mark.expectNone();
});

test('with a display the demo reads that one, on another port when its own is taken', async () => {
  await using display = await startDisplay({ widthPx: 640, heightPx: 360 });
  const font = ['-fa', 'DejaVu Sans Mono', '-fs', '24', '-geometry', '30x8+0+0'];
  const page = ['sh', '-c', 'echo Hello from this display; exec sleep 60'];
  await using _terminal = start('xterm', [...font, '-e', ...page], { env: display.env });
  const taken = await occupyPort(8554).catch(() => undefined);
  try {
    await using demo = startCommand('demo', ['-d', '5s'], { env: display.env });
    expect(await demo.waitForExit(30_000)).toEqual({ code: 0, signal: null });
    expect(demo.stdout).not.toContain('virtual');
    expect(demo.stdout).toContain(`Capturing screen ${display.name} 640x360 once`);
    expect(demo.stdout).toContain('Hello from this display');
    expect(demo.stdout).not.toContain('127.0.0.1:8554');
    expect(demo.stdout).toMatch(SUMMARY);
  } finally {
    taken?.server.close();
  }
});
