import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CapError } from '../../src/core/index.js';
import type { AudioOptions, CaptureSession } from '../../src/session/index.js';
import { AUDIO_CODECS } from '../../src/transport/index.js';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { buildLibrary } from '../support/library.js';
import { playInVlc } from '../support/media-clients.js';
import { RtspClient } from '../support/rtsp-client.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { playTone, SOUND_SERVERS, startSoundServer, type TestSoundServer } from '../support/sound-server.js';
import { codecsOf, listen, shareOfTone } from '../support/tones.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-audio-'));
  file = join(folder, 'out.mp4');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PACKETS_A_SECOND = 50;
/** A player on a busy machine makes gaps. */
const MOSTLY = 0.6;

/** Resolves when each channel has given so many seconds more. */
async function hear(session: CaptureSession, seconds: number): Promise<void> {
  const goals = session.stats.audio.map(({ packets }) => packets + seconds * PACKETS_A_SECOND * 0.9);
  await vi.waitFor(
    () => {
      for (const [index, goal] of goals.entries()) expect(session.stats.audio[index]?.packets).toBeGreaterThan(goal);
    },
    { timeout: 30_000 },
  );
}

/** Records for so many seconds. */
async function record({ session }: ServedCapture, seconds: number): Promise<string> {
  const recorder = await session.record(file);
  await hear(session, seconds);
  await recorder.close();
  return file;
}

/** How many devices are recorded by cap. */
async function listenersOf(sound: TestSoundServer): Promise<number> {
  return (await sound.control('list', 'source-outputs')).match(/application\.name = "cap"/g)?.length ?? 0;
}

async function describeStream(url: string): Promise<string> {
  await using client = await RtspClient.open(url);
  return (await client.request('DESCRIBE', { headers: { Accept: 'application/sdp' } })).body;
}

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

  const serve = (audio?: AudioOptions) => serveCapture({ ...(audio ? { audio } : {}) });

  test.each(AUDIO_CODECS)('what the default output plays is streamed and recorded as %s', async (codec) => {
    await using _tone = await playTone(sound, 1000);
    await using capture = await serve({ output: true, codec });
    await hear(capture.session, 1);
    const [live, recording] = await Promise.all([listen(capture.url, { seconds: 2 }), record(capture, 2)]);
    expect(await codecsOf(capture.url)).toEqual(['h264', codec]);
    expect(await codecsOf(recording)).toEqual(['h264', codec]);
    expect(shareOfTone(live, 1000)).toBeGreaterThan(MOSTLY);
    expect(shareOfTone(await listen(recording), 1000)).toBeGreaterThan(MOSTLY);
    expect(await describeStream(capture.url)).toMatch(/^m=audio .*^a=label:system-output\r?$/ms);
  });

  test('without asking for it there is no sound, and no connection to the server', async () => {
    const clients = await sound.control('list', 'short', 'clients');
    await using capture = await serve();
    const recorder = await capture.session.record(file);
    await vi.waitFor(() => expect(recorder.stats.delivered).toBeGreaterThan(10), { timeout: 20_000 });
    expect(await sound.control('list', 'short', 'clients')).toHaveLength(clients.length);
    await recorder.close();
    expect(await codecsOf(capture.url)).toEqual(['h264']);
    expect(await codecsOf(file)).toEqual(['h264']);
    expect(capture.session.stats.audio).toEqual([]);
  });

  test('the microphone is another stream, and is opened only when that is asked for', async () => {
    await using _played = await playTone(sound, 1000);
    await using _said = await playTone(sound, 440, 'Speaker', 'air');
    {
      await using capture = await serve({ output: true });
      await hear(capture.session, 1);
      expect(await listenersOf(sound)).toBe(1);
      expect(shareOfTone(await listen(capture.url, { seconds: 1 }), 440)).toBe(0);
    }
    await using capture = await serve({ output: true, microphone: true });
    await hear(capture.session, 1);
    expect(await listenersOf(sound)).toBe(2);
    expect(capture.session.stats.audio.map(({ channel }) => channel)).toEqual(['system output', 'microphone']);
    const recording = await record(capture, 2);
    expect(shareOfTone(await listen(recording, { track: 0 }), 1000)).toBeGreaterThan(MOSTLY);
    expect(shareOfTone(await listen(recording, { track: 1 }), 440)).toBeGreaterThan(MOSTLY);
    expect(shareOfTone(await listen(capture.url, { track: 1, seconds: 1 }), 440)).toBeGreaterThan(MOSTLY);
  });

  test('while nobody watches nothing is heard, and the device is let go', async () => {
    await using _tone = await playTone(sound, 1000);
    await using capture = await serveCapture({ audio: { output: true }, onDemand: true, lingerMs: 100 });
    for (let round = 0; round < 2; round += 1) {
      await vi.waitFor(() => expect(capture.session.resting).toBe(true), { timeout: 20_000 });
      await vi.waitFor(async () => expect(await listenersOf(sound)).toBe(0), { timeout: 20_000 });
      expect(shareOfTone(await listen(capture.url, { seconds: 3 }), 1000)).toBeGreaterThan(MOSTLY);
    }
  });

  test('another default output is followed', async () => {
    await using _tone = await playTone(sound, 440, 'Tone', 'headphones');
    await using capture = await serve({ output: true });
    await hear(capture.session, 1);
    expect(shareOfTone(await listen(capture.url, { seconds: 1 }), 440)).toBe(0);
    await sound.control('set-default-sink', 'headphones');
    try {
      await vi.waitFor(
        async () => expect(shareOfTone(await listen(capture.url, { seconds: 1 }), 440)).toBeGreaterThan(MOSTLY),
        { timeout: 20_000 },
      );
    } finally {
      await sound.control('set-default-sink', 'speakers');
    }
  });

  test('a device can be named, and one that is not there ends in a line that lists those that are', async () => {
    await using _tone = await playTone(sound, 440, 'Two', 'headphones');
    await using capture = await serve({ device: 'headphones.monitor' });
    await hear(capture.session, 1);
    expect(shareOfTone(await listen(capture.url, { seconds: 1 }), 440)).toBeGreaterThan(MOSTLY);
    await expect(serve({ device: 'nowhere' })).rejects.toMatchObject({
      code: 'CAP_SOURCE_NOT_FOUND',
      hint: expect.stringContaining('headphones.monitor'),
    } satisfies Partial<Record<keyof CapError, unknown>>);
  });

  test('when the server dies the video goes on, and the sound is back when the server is', async () => {
    const warnings: string[] = [];
    const logger = Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map((level) => [
        level,
        (text: string) => void warnings.push(`${level} ${text}`),
      ]),
    );
    await using capture = await serveCapture({
      audio: { output: true },
      logger: { ...logger, child: () => logger } as never,
    });
    const recorder = await capture.session.record(file);
    await using reader = await RtspPlayer.overTcp(capture.url);
    await hear(capture.session, 1);
    await sound.kill();
    await vi.waitFor(() => expect(warnings.join('\n')).toMatch(/^warn system output: the sound server is gone/m));
    await reader.waitForUnits(60);
    const { delivered } = recorder.stats;
    await vi.waitFor(() => expect(recorder.stats.delivered).toBeGreaterThan(delivered + 30), { timeout: 20_000 });
    await hear(capture.session, 1); // silence
    await sound.restart();
    await using _tone = await playTone(sound, 1000);
    await vi.waitFor(() => expect(warnings.join('\n')).toMatch(/^info system output is back/m), { timeout: 20_000 });
    await hear(capture.session, 2);
    await recorder.close();
    const heard = await listen(file);
    expect(shareOfTone(heard.subarray(-48_000), 1000)).toBeGreaterThan(MOSTLY);
    // The recorder waits for the sound, so its silence was in time.
    expect(recorder.stats.dropped).toBe(0);
  });

  // What has nothing to do with the server is tried with one of them.
  if (kind !== SOUND_SERVERS[0]) return;

  test.each(AUDIO_CODECS)('VLC plays video and sound in %s', async (codec) => {
    await using _tone = await playTone(sound, 1000);
    await using capture = await serve({ output: true, codec });
    await hear(capture.session, 1);
    const heard = await playInVlc(capture.url, 5);
    expect(heard.pictures).toBeGreaterThan(3);
    writeFileSync(join(folder, 'vlc.wav'), heard.sound);
    expect(shareOfTone(await listen(join(folder, 'vlc.wav')), 1000)).toBeGreaterThan(MOSTLY);
  });

  test('a process that was stopped for a while goes on with the sound of now', async () => {
    await using library = await buildLibrary();
    await using _tone = await playTone(sound, 1000);
    await using capture = await library.run(
      `import { CaptureSession } from '$lib/session/index.js';
      const source = { kind: 'test', size: { width: 320, height: 240 } };
      const session = await CaptureSession.open({ source, audio: { output: true } });
      console.log((await session.serveRtsp('/cap', { port: 0 })).url('/cap'));`,
    );
    const [url] = await capture.waitForOutput(/rtsp:\S+/);
    capture.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 12_000)); // more than silence is made for
    capture.signal('SIGCONT');
    await vi.waitFor(async () => expect(shareOfTone(await listen(url, { seconds: 1 }), 1000)).toBeGreaterThan(MOSTLY), {
      timeout: 20_000,
    });
  });
});
