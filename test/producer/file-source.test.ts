import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import type { CapError } from '../../src/core/index.js';
import { CaptureSession } from '../../src/session/index.js';
import { serveCapture } from '../support/capture.js';
import { run } from '../support/process.js';
import { RtspPlayer } from '../support/rtsp-player.js';

const FILE_FPS = 20;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cap-films-'));
  // Two seconds with sound: first red, then blue. Neither the matrix nor the pixel shape is the encoder's.
  const red = `color=red:s=320x240:r=${FILE_FPS}:d=1`;
  const blue = `color=blue:s=320x240:r=${FILE_FPS}:d=1`;
  const input = ['-f', 'lavfi', '-i', red, '-f', 'lavfi', '-i', blue, '-f', 'lavfi', '-i', 'sine=d=2'];
  const filter = ['-filter_complex', '[0][1]concat=n=2:v=1:a=0,scale=out_color_matrix=bt709[v]', '-map', '[v]'];
  const output = ['-map', '2:a', '-c:v', 'libx264', '-colorspace', 'bt709', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  await run('ffmpeg', ['-v', 'error', ...input, ...filter, ...output, join(folder, 'red then blue?.mp4')]);
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=d=1', join(folder, 'sound.wav')]);
  writeFileSync(join(folder, 'text.mp4'), 'this is not a film');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const film = (loop: boolean) => ({ kind: 'file', path: join(folder, 'red then blue?.mp4'), loop }) as const;

function colourOf({ data }: { readonly data: Uint8Array }): 'red' | 'blue' | 'other' {
  const [red = 0, green = 0, blue = 0] = data.subarray(0, 3);
  if (red > 225 && green < 30 && blue < 30) return 'red';
  return blue > 225 && red < 30 && green < 30 ? 'blue' : 'other';
}

test('a file is played at its own speed, again and again, on one timeline', async () => {
  await using capture = await serveCapture({ source: film(true) });
  expect(capture.session.plan.canvas).toEqual({ width: 320, height: 240 });
  const player = await RtspPlayer.overTcp(capture.url);
  const sampler = new Sampler(capture.url);
  try {
    const colours: string[] = [];
    let afterSequence = -1;
    while (colours.length < 5) {
      const frame = await sampler.next({ afterSequence });
      afterSequence = frame.sequence;
      const colour = colourOf(frame);
      if (colour !== colours.at(-1)) colours.push(colour);
    }
    expect(['red blue red blue red', 'blue red blue red blue']).toContain(colours.join(' '));
    const times = player.units.map((unit) => unit.rtpTime);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 90_000;
    expect(times.length / seconds).toBeGreaterThan(FILE_FPS * 0.8);
    expect(times.length / seconds).toBeLessThan(FILE_FPS * 1.2);
  } finally {
    await sampler.close();
    await player[Symbol.asyncDispose]();
  }
});

test('a file with more frames a second than are asked for is thinned out', async () => {
  await using capture = await serveCapture({ source: film(true), fps: 5 });
  await using player = await RtspPlayer.overTcp(capture.url);
  await player.waitForUnits(12);
  const times = player.units.map((unit) => unit.rtpTime);
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 90_000;
  expect((times.length - 1) / seconds).toBeLessThan(6.5);
});

test('a file that is not looped ends the capture', async () => {
  const session = await CaptureSession.open({ source: film(false) });
  try {
    const error = await new Promise<CapError>((resolve) => session.on('failed', resolve));
    expect(error).toMatchObject({ code: 'CAP_SOURCE_LOST' });
    expect(error.message).toMatch(/red then blue\?\.mp4 has ended$/);
  } finally {
    await session.close();
  }
});

test.each([
  ['missing.mp4', 'there is no such file'],
  ['text.mp4', 'cannot play'],
  ['sound.wav', 'cannot play'],
  ['', 'it is not a file'],
])('"%s" is refused in words', async (name, words) => {
  await expect(CaptureSession.open({ source: { kind: 'file', path: join(folder, name) } })).rejects.toMatchObject({
    code: 'CAP_SOURCE_NOT_FOUND',
    message: expect.stringContaining(words),
  });
});
