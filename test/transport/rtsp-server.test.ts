import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RtspReader } from '../../src/transport/index.js';
import { type ServedCapture, serveCapture } from '../support/capture.js';
import { RtspClient } from '../support/rtsp-client.js';
import { RtspPlayer, SilentUdpPlayer } from '../support/rtsp-player.js';
import { metadataOf } from '../support/unit-metadata.js';

const FPS = 30;
/** Frames from a joiner's first to its first key frame: key frames are at most 150 ms apart, and then some. */
const MOST_FRAMES_TO_A_KEY = FPS / 2;

let capture: ServedCapture;
let left: [RtspReader, string][];

beforeEach(async () => {
  capture = await serveCapture({ fps: FPS, encoder: { gopSeconds: 60 }, rtsp: { sessionTimeoutSeconds: 10 } });
  left = [];
  capture.server.on('readerLeft', (reader, reason) => left.push([reader, reason]));
});

afterEach(() => capture[Symbol.asyncDispose]());

/** How often this machine's listening sockets had no room for a connection. */
function listenOverflows(): number {
  const [names = [], values = []] = readFileSync('/proc/net/netstat', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('ListenOverflows')]);
}

describe('joining', () => {
  test('each joiner gets a key frame at once, although the next one of the GOP is a minute away', async () => {
    for (let joined = 0; joined < 5; joined++) {
      await using reader = await RtspPlayer.overTcp(capture.url);
      await vi.waitFor(() => expect(reader.units.some((unit) => unit.key)).toBe(true), { timeout: 20_000 });
      const first = reader.units[0] as (typeof reader.units)[0];
      const key = reader.units.find((unit) => unit.key) as typeof first;
      const frames = metadataOf(key.data).frameNumber - metadataOf(first.data).frameNumber;
      expect(frames).toBeLessThanOrEqual(MOST_FRAMES_TO_A_KEY);
    }
    // One for the stream's start, one for the mount, one a joiner.
    expect(capture.session.stats.keyFrames).toBeLessThanOrEqual(7);
  });

  test('many may join at once: none is kept waiting, and the stream does not fill with key frames', async () => {
    const before = { ...capture.session.stats, overflows: listenOverflows() };
    const readers = await Promise.all(Array.from({ length: 60 }, () => RtspPlayer.overTcp(capture.url)));
    await readers[0]?.waitForUnits(FPS);
    const { framesEncoded, keyFrames } = capture.session.stats;
    // At least 150 ms apart are at most one in four frames at 30 a second.
    expect(keyFrames - before.keyFrames).toBeLessThanOrEqual((framesEncoded - before.framesEncoded) / 4 + 2);
    expect(capture.server.stats.readers).toHaveLength(60);
    // A connection that finds the queue full is tried again after a second.
    expect(listenOverflows()).toBe(before.overflows);
    await Promise.all(readers.map((reader) => reader.teardown()));
  });

  test('two query strings are one stream', async () => {
    const before = capture.session.stats;
    await using first = await RtspPlayer.overTcp(`${capture.url}?token=a`);
    await using second = await RtspPlayer.overTcp(`${capture.url}?token=b`);
    await Promise.all([first.waitForUnits(FPS), second.waitForUnits(FPS)]);
    const { framesCaptured, framesEncoded } = capture.session.stats;
    expect(framesEncoded - before.framesEncoded).toBeLessThanOrEqual(framesCaptured - before.framesCaptured + 1);
    expect(capture.server.stats.readers.map((reader) => reader.path)).toEqual(['/cap', '/cap']);
    expect(capture.server.stats.accessUnitsDelivered).toBeLessThanOrEqual(framesEncoded);
    // The same access units, byte for byte.
    const sent = new Set(first.units.map((unit) => unit.data.toString('base64')));
    const shared = second.units.filter((unit) => sent.has(unit.data.toString('base64')));
    expect(shared.length).toBeGreaterThan(FPS / 2);
  });
});

describe('leaving', () => {
  test('a reader that tears down, hangs up or is cut off from the network is forgotten', async () => {
    await using vanished = await SilentUdpPlayer.open(capture.url);
    const leaver = await RtspPlayer.overTcp(capture.url);
    const dead = await RtspPlayer.overTcp(capture.url);
    await vi.waitFor(() => expect(vanished.packets).toBeGreaterThan(10), { timeout: 10_000 });
    expect(capture.server.stats.readers.map((reader) => reader.protocol).sort()).toEqual(['tcp', 'tcp', 'udp']);

    await leaver.teardown();
    await vi.waitFor(() => expect(left).toMatchObject([[{ protocol: 'tcp', path: '/cap' }, 'teardown']]));
    await dead.client.destroy();
    await vi.waitFor(() => expect(left.slice(1)).toMatchObject([[{ protocol: 'tcp' }, 'disconnected']]));

    // The UDP reader keeps its connection but says nothing more; gst-rtsp-server adds five seconds of grace.
    await vi.waitFor(() => expect(left.slice(2)).toMatchObject([[{ protocol: 'udp' }, 'timeout']]), {
      timeout: 40_000,
      interval: 50,
    });
    expect(capture.server.stats).toMatchObject({ readers: [], readersTotal: 3, readersDropped: 0 });
    await expectNoMorePackets(vanished);
  });

  test('a UDP reader whose connection ends gets nothing more', async () => {
    await using reader = await SilentUdpPlayer.open(capture.url);
    await vi.waitFor(() => expect(reader.packets).toBeGreaterThan(10), { timeout: 10_000 });
    await reader.client.destroy();
    await vi.waitFor(() => expect(left).toMatchObject([[{ protocol: 'udp' }, 'disconnected']]));
    await expectNoMorePackets(reader);
  });

  /** Over so many frames as would have been many packets. */
  async function expectNoMorePackets(reader: SilentUdpPlayer): Promise<void> {
    await using witness = await RtspPlayer.overTcp(capture.url);
    await witness.waitForUnits(2); // what was under way has arrived
    const { packets } = reader;
    await witness.waitForUnits(FPS / 2);
    expect(reader.packets).toBe(packets);
  }
});

describe('the address', () => {
  test('only the loopback address is bound by default', async () => {
    await using client = await RtspClient.open(capture.url);
    expect((await client.request('OPTIONS')).status).toBe(200);
    const socket = connect(capture.server.port, '127.0.0.2');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(capture.server.isLoopback).toBe(true);
  });

  test('a port in use, a foreign address and a bad path are refused with a hint', async () => {
    const { session, server } = capture;
    await expect(session.serveRtsp('/cap', { port: server.port })).rejects.toMatchObject({
      code: 'CAP_PORT_UNAVAILABLE',
      message: expect.stringContaining(`127.0.0.1:${server.port}`),
      hint: expect.stringContaining('another program'),
    });
    // RFC 5737 keeps 192.0.2.0/24 for documentation: it is no machine's.
    await expect(session.serveRtsp('/cap', { port: 0, host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'CAP_PORT_UNAVAILABLE',
      hint: expect.any(String),
    });
    await expect(session.serveRtsp('cap', { port: 0 })).rejects.toMatchObject({ code: 'CAP_USAGE' });
  });
});
