import { expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { Frame } from '../../src/core/index.js';
import { CaptureSession, describeStream } from '../../src/session/index.js';
import { serveCapture } from '../support/capture.js';

/** Share of the bytes that differ by more than coding noise. */
function changedShare(a: Frame, b: Frame): number {
  let changed = 0;
  for (let at = 0; at < a.data.length; at += 3) {
    if (Math.abs((a.data[at] ?? 0) - (b.data[at] ?? 0)) > 24) changed += 1;
  }
  return changed / (a.data.length / 3);
}

test('test://text is a page that a reader can read, and that scrolls by a line a second', async () => {
  await using capture = await serveCapture({ source: { kind: 'test', pattern: 'text' } });
  const read = async (): Promise<string[]> => {
    const { text } = await describeStream(capture.url);
    return text.split('\n').filter((line) => line.trim() !== '');
  };
  const first = await read();
  expect(first.length).toBeGreaterThan(10);
  expect(first.join('\n')).toMatch(/The quick brown fox jumps over the lazy dog/);
  expect(first.join('\n')).toMatch(/Sphinx of black quartz, judge my vow/);
  expect(first.join('\n')).not.toMatch(/^ *1000 /m);
  const number = (lines: string[]): number => Number(/\d+/.exec(lines[0] ?? '')?.[0]);
  const second = await read();
  expect(number(second)).toBeGreaterThan(number(first));
  expect(number(second)).toBeLessThan(number(first) + 60);
});

test('test://noise changes every pixel with every frame', async () => {
  const source = { kind: 'test', pattern: 'noise', size: { width: 320, height: 240 } } as const;
  await using capture = await serveCapture({ source });
  const sampler = new Sampler(capture.url);
  try {
    const first = await sampler.next();
    const second = await sampler.next({ afterSequence: first.sequence });
    expect(changedShare(first, second)).toBeGreaterThan(0.5);
  } finally {
    await sampler.close();
  }
});

test('a pattern that there is not is refused by name', async () => {
  await expect(CaptureSession.open({ source: { kind: 'test', pattern: 'snow' as 'noise' } })).rejects.toThrow(
    'expected one of clock, text, noise for the test pattern, received "snow"',
  );
});
