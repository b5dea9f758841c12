import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { ffmpegFrames, gstreamerFrames } from '../support/media-clients.js';
import { RtspClient } from '../support/rtsp-client.js';
import { RtspPlayer, SilentUdpPlayer } from '../support/rtsp-player.js';
import { SOUND_SERVERS, startSoundServer, type TestSoundServer } from '../support/sound-server.js';

const FPS = 30;
const LONG = { timeout: 20_000 };
const [KIND = 'pipewire'] = SOUND_SERVERS;

let sound: TestSoundServer;

beforeAll(async () => {
  sound = await startSoundServer(KIND);
  process.env.PULSE_SERVER = sound.env.PULSE_SERVER;
});

afterAll(async () => {
  delete process.env.PULSE_SERVER;
  await sound[Symbol.asyncDispose]();
});

const serve = (): Promise<ServedCapture> => serveCapture({ fps: FPS, audio: { output: true, microphone: true } });

/** Sets up all streams over TCP, and counts the packets of each by its number. */
async function playAll(url: string): Promise<{ readonly client: RtspClient; readonly packets: number[] }> {
  const client = await RtspClient.open(url);
  const described = await client.request('DESCRIBE', { headers: { Accept: 'application/sdp' } });
  const controls = [...described.body.matchAll(/^a=control:(stream=\d+)/gm)].map(([, control]) => control);
  const packets = controls.map(() => 0);
  client.onPacket((_packet, channel) => {
    if (channel % 2 === 0) packets[channel / 2] = (packets[channel / 2] ?? 0) + 1;
  });
  const base = described.headers.get('content-base') ?? `${url}/`;
  let session: Record<string, string> = {};
  for (const [index, control] of controls.entries()) {
    const transport = `RTP/AVP/TCP;unicast;interleaved=${index * 2}-${index * 2 + 1}`;
    const setUp = await client.request('SETUP', { headers: { Transport: transport, ...session }, url: base + control });
    session = { Session: (setUp.headers.get('session') ?? '').split(';')[0] ?? '' };
  }
  expect(await client.request('PLAY', { headers: session, url: base })).toMatchObject({ status: 200 });
  return { client, packets };
}

test('who sets up only the video gets it, over TCP and UDP', async () => {
  await using capture = await serve();
  await using tcp = await RtspPlayer.overTcp(capture.url);
  await using udp = await SilentUdpPlayer.open(capture.url);
  await tcp.waitForUnits(FPS);
  await vi.waitFor(() => expect(udp.packets).toBeGreaterThan(FPS), LONG);
  expect(tcp.units[0]?.key).toBe(true);
});

test('the sampler and players take the video out of a stream with sound', async () => {
  await using capture = await serve();
  const sampler = new Sampler(capture.url);
  try {
    expect(await sampler.next()).toMatchObject({ width: 320, height: 240 });
    expect(await ffmpegFrames(capture.url, 2)).toBeGreaterThan(FPS);
    expect(await gstreamerFrames(capture.url, 2, 'udp')).toBeGreaterThan(FPS);
  } finally {
    await sampler.close();
  }
});

test('a stream with sound is a source as well', async () => {
  await using camera = await serve();
  await using relay = await serveCapture({ source: { kind: 'rtsp', url: camera.url } });
  await using reader = await RtspPlayer.overTcp(relay.url);
  await reader.waitForUnits(FPS);
});

test('a reader that takes nothing is taken off all streams, and put back on them', async () => {
  await using capture = await serveCapture({
    source: { kind: 'test', pattern: 'noise', size: { width: 640, height: 360 } },
    fps: FPS,
    audio: { output: true, microphone: true },
    rtsp: { maxStallMs: 60_000 },
  });
  const { client, packets } = await playAll(capture.url);
  try {
    const more = (count: number): Promise<void> => {
      const before = [...packets];
      return vi.waitFor(() => {
        for (const [index, each] of packets.entries()) expect(each).toBeGreaterThan((before[index] ?? 0) + count);
      }, LONG);
    };
    expect(packets).toHaveLength(3);
    await more(20);
    client.stopReading();
    await vi.waitFor(() => expect(capture.server.stats.readers).toMatchObject([{ behind: true, cutOffs: 1 }]), LONG);
    client.resumeReading();
    await vi.waitFor(() => expect(capture.server.stats.readers).toMatchObject([{ behind: false }]), LONG);
    await more(20);
  } finally {
    await client.destroy();
  }
  await vi.waitFor(() => expect(capture.server.stats.readers).toEqual([]), LONG);
});
