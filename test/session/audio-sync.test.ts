import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AUDIO_CODECS } from '../../src/transport/index.js';
import { beepDelays } from '../support/av-offset.js';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { startDisplay } from '../support/display.js';
import { run, start } from '../support/process.js';
import { program } from '../support/programs.js';
import { SOUND_SERVERS, startSoundServer } from '../support/sound-server.js';

const FPS = 30;
const FRAME_MS = 1000 / FPS;
const PACKET_MS = 21.4;
const SIZE = { widthPx: 640, heightPx: 360 };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cap-sync-'));
});

afterEach(() => {
  delete process.env.PULSE_SERVER;
  rmSync(folder, { recursive: true, force: true });
});

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** What clients get in so many seconds, and what the recorder writes meanwhile, as files. */
async function filesOf(
  { session, url }: ServedCapture,
  codec: string,
  seconds: number,
): Promise<Record<string, string>> {
  const files = { mp4: join(folder, 'out.mp4'), ffmpeg: join(folder, 'ff.mkv'), gstreamer: join(folder, 'gst.mkv') };
  const recorder = await session.record(files.mp4);
  const depayloader = codec === 'opus' ? 'rtpopusdepay ! opusparse' : 'rtpmp4gdepay ! aacparse';
  const client =
    `rtspsrc location=${url} protocols=tcp name=s s. ! application/x-rtp,media=video ! rtph264depay ! h264parse ` +
    `! matroskamux name=m ! filesink location=${files.gstreamer} s. ! application/x-rtp,media=audio ! ${depayloader} ! m.`;
  await using gstreamer = start('gst-launch-1.0', ['-e', ...client.split(' ')]);
  const copy = ['-t', `${seconds}`, '-c', 'copy', files.ffmpeg];
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-rtsp_transport', 'tcp', '-i', url, ...copy]);
  gstreamer.signal('SIGINT');
  await gstreamer.waitForExit();
  await recorder.close();
  return files;
}

describe.each(SOUND_SERVERS)('with %s', (kind) => {
  test.each(AUDIO_CODECS)('a beep in %s lies where the flash is, over RTSP and in MP4', async (codec) => {
    await using sound = await startSoundServer(kind);
    await using display = await startDisplay(SIZE);
    const env = { ...sound.env, ...display.env };
    await using flasher = start(await program('flash_and_beep'), [`${SIZE.widthPx}`, `${SIZE.heightPx}`], { env });
    await flasher.waitForOutput(/beep .*\n/);
    process.env.PULSE_SERVER = sound.env.PULSE_SERVER;
    const source = { kind: 'screen', display: display.name } as const;
    await using capture = await serveCapture({ source, fps: FPS, audio: { output: true, codec } });
    await vi.waitFor(() => expect(capture.session.stats.audio[0]?.packets).toBeGreaterThan(50), { timeout: 20_000 });
    const files = await filesOf(capture, codec, 5);
    // The sound server plays a beep this much later than the flash is painted.
    const playedMs = median([...flasher.stdout.matchAll(/^beep (\d+)$/gm)].map(([, us]) => Number(us) / 1000));
    for (const [reader, file] of Object.entries(files)) {
      const delays = await beepDelays(file);
      expect(delays.length, reader).toBeGreaterThanOrEqual(3);
      const offsetMs = median(delays) - playedMs;
      expect(Math.abs(offsetMs), `${reader}: ${delays.map(Math.round)}, played ${playedMs}`).toBeLessThan(
        FRAME_MS + PACKET_MS,
      );
    }
  });
});
