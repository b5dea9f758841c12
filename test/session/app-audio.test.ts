import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { repairSound } from '../../src/producer/index.js';
import { serveCapture } from '../support/capture.js';
import { buildLibrary } from '../support/library.js';
import { playTone, SOUND_SERVERS, startSoundServer, streamsOf, type TestSoundServer } from '../support/sound-server.js';
import { listen, shareOfTone } from '../support/tones.js';

/** A player on a busy machine makes gaps. */
const MOSTLY = 0.6;

describe.each(SOUND_SERVERS)('with %s', (kind) => {
  let sound: TestSoundServer;

  beforeAll(async () => {
    sound = await startSoundServer(kind);
    process.env.PULSE_SERVER = sound.env.PULSE_SERVER;
  });

  afterAll(async () => {
    delete process.env.PULSE_SERVER;
    await sound[Symbol.asyncDispose]();
  });

  /** Names of the outputs that the applications play on, by the applications' names. */
  async function whereTheyPlay(): Promise<Record<string, string>> {
    const tones = (await streamsOf(sound)).filter(({ application }) => application.startsWith('Tone'));
    return Object.fromEntries(tones.map(({ application, sink }) => [application, sink]));
  }

  /** PipeWire takes a moment to do what it has agreed to. */
  const expectPlaces = (places: Record<string, unknown>): Promise<void> =>
    vi.waitFor(async () => expect(await whereTheyPlay()).toEqual(places), { timeout: 20_000 });

  /** Modules that a route consists of. */
  const modules = async (): Promise<number> =>
    (await sound.control('list', 'short', 'modules')).match(/cap_app_/g)?.length ?? 0;

  test('one of two applications is heard alone, with what it begins to play later, and is put back', async () => {
    await using _other = await playTone(sound, 440, 'Tone B');
    const first = await playTone(sound, 1000, 'Tone A', 'headphones');
    try {
      await using capture = await serveCapture({ audio: { app: 'tone a' } });
      await expectPlaces({ 'Tone A': expect.stringMatching(/^cap_app_/), 'Tone B': 'speakers' });
      const heard = async (hz: number): Promise<void> =>
        expect(shareOfTone(await listen(capture.url, { seconds: 1 }), hz)).toBeGreaterThan(MOSTLY);
      await vi.waitFor(() => heard(1000), { timeout: 20_000 });
      expect(shareOfTone(await listen(capture.url, { seconds: 1 }), 440)).toBe(0);
      await using _second = await playTone(sound, 700, 'Tone A');
      await first.close();
      await vi.waitFor(() => heard(700), { timeout: 20_000 });
      await using _third = await playTone(sound, 1300, 'Tone A');
      await expectPlaces({ 'Tone A': expect.stringMatching(/^cap_app_/), 'Tone B': 'speakers' });
    } finally {
      await first.close();
    }
    expect(await modules()).toBe(0);
  });

  test('streams go back to where they were', async () => {
    await using _app = await playTone(sound, 1000, 'Tone A', 'headphones');
    {
      await using _capture = await serveCapture({ audio: { app: 'Tone A' } });
      await expectPlaces({ 'Tone A': expect.stringMatching(/^cap_app_/) });
    }
    await expectPlaces({ 'Tone A': 'headphones' });
    expect(await modules()).toBe(0);
  });

  test('an application that is led elsewhere is still heard on the output', async () => {
    await using _app = await playTone(sound, 1000, 'Tone A');
    await using capture = await serveCapture({ audio: { output: true, app: 'Tone A' } });
    await vi.waitFor(
      async () => {
        for (const track of [0, 1]) {
          expect(shareOfTone(await listen(capture.url, { seconds: 1, track }), 1000)).toBeGreaterThan(MOSTLY);
        }
      },
      { timeout: 20_000 },
    );
  });

  test('an application that is not meant by anything, or more than one, ends in a line that lists what plays', async () => {
    await using app = await playTone(sound, 1000, 'Tone A');
    await using _other = await playTone(sound, 440, 'Tone B');
    const open = (name: string) => serveCapture({ audio: { app: name } });
    await expect(open('Firefox')).rejects.toMatchObject({
      code: 'CAP_SOURCE_NOT_FOUND',
      message: 'no application that plays sound is "Firefox"',
      hint: expect.stringMatching(/^playing: ("Tone [AB]" \(gst-launch-1\.0, process \d+\)(, |$)){2}/),
    });
    await expect(open('gst-launch-1.0')).rejects.toMatchObject({
      code: 'CAP_SOURCE_NOT_FOUND',
      message: 'more than one application is "gst-launch-1.0"',
    });
    expect(await modules()).toBe(0);
    await using _capture = await open(`${app.pid}`);
    await expectPlaces({ 'Tone A': expect.stringMatching(/^cap_app_/), 'Tone B': 'speakers' });
  });

  test('what a killed capture left is repaired, and what belongs to a living one is not', async () => {
    // Names of its own: PipeWire's session manager remembers where an application was moved to, by name.
    await using library = await buildLibrary();
    await using _app = await playTone(sound, 1000, 'Tone C');
    await using _other = await playTone(sound, 440, 'Tone D');
    await using killed = await library.run(
      `import { CaptureSession } from '$lib/session/index.js';
      const source = { kind: 'test', size: { width: 320, height: 240 } };
      await CaptureSession.open({ source, audio: { app: 'Tone C' } });
      console.log('captures');`,
    );
    await killed.waitForOutput(/captures/);
    await expectPlaces({ 'Tone C': expect.stringMatching(/^cap_app_/), 'Tone D': 'speakers' });
    await using _living = await serveCapture({ audio: { app: 'Tone D' } });
    killed.signal('SIGKILL');
    await killed.waitForExit();
    const led = expect.stringMatching(/^cap_app_/);
    await expectPlaces({ 'Tone C': led, 'Tone D': led });
    const left = await whereTheyPlay();
    expect(await repairSound()).toEqual({ removed: [left['Tone C']], putBack: ['Tone C'] });
    await expectPlaces({ ...left, 'Tone C': 'speakers' });
    expect(await repairSound()).toEqual({ removed: [], putBack: [] });
  });

  test('a route is made anew when the server has started anew', async () => {
    await using capture = await (async () => {
      await using _app = await playTone(sound, 1000, 'Tone A');
      return await serveCapture({ audio: { app: 'Tone A' } });
    })();
    await sound.kill();
    await sound.restart();
    await using _app = await playTone(sound, 700, 'Tone A');
    await vi.waitFor(
      async () => expect(shareOfTone(await listen(capture.url, { seconds: 1 }), 700)).toBeGreaterThan(MOSTLY),
      { timeout: 30_000 },
    );
  });
});
