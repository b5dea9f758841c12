import { expect, test, vi } from 'vitest';
import { Pipeline } from '../../src/native/index.js';
import { RtspServer, SharedStream } from '../../src/transport/index.js';
import { RtspPlayer } from '../support/rtsp-player.js';
import { metadataOf } from '../support/unit-metadata.js';

/** An encoded stream whose clock can be set back; noise, so that a backlog builds up. */
const STREAM =
  'videotestsrc name=source is-live=true pattern=snow ! video/x-raw,format=I420,width=640,height=360,framerate=30/1 ' +
  '! x264enc tune=zerolatency speed-preset=ultrafast pass=qual quantizer=20 key-int-max=300 ' +
  '! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=units sync=false async=false max-buffers=4';

const ONE_SECOND_NS = '1000000000';

// gst-rtsp-server 1.22 aborts the process when a PTS steps back while packets wait for a TCP reader.
test('capture times that step back do not turn back the RTP time, nor end the process', async () => {
  const pipeline = new Pipeline(STREAM, { source: { 'timestamp-offset': ONE_SECOND_NS } });
  pipeline.stampFrames('source');
  const stream = new SharedStream(pipeline, 'units');
  stream.describe({ plan: 'source' });
  const server = new RtspServer({ port: 0, maxStallMs: 60_000 });
  try {
    await pipeline.play();
    await server.mount('/cap', stream);
    await using reader = await RtspPlayer.overTcp(server.url('/cap'));
    await using stalled = await RtspPlayer.overTcp(server.url('/cap'));
    await stalled.waitForUnits(5);
    stalled.client.stopReading();
    await reader.waitForUnits(15);
    pipeline.setProperty('source', 'timestamp-offset', '0');
    await reader.waitForUnits(60);
    await vi.waitFor(() => expect(server.stats.cutOffs).toBe(1), { timeout: 20_000 });

    const captured = reader.units.map((unit) => metadataOf(unit.data).capturedMonotonicNs);
    const back = captured.findIndex((time, index) => time < (captured[index - 1] ?? time));
    expect(Number((captured[back - 1] ?? 0n) - (captured[back] ?? 0n)) / 1e9).toBeGreaterThan(0.5);
    // Two frames less than 1/90,000 s apart have the same RTP time.
    const times = reader.units.map((unit) => unit.rtpTime);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  } finally {
    await server.close();
    await stream.close();
    await pipeline.close();
  }
});
