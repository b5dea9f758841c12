import { expect, test } from 'vitest';
import { native, Pipeline } from '../../src/native/index.js';

const FPS = 30;
const FRAMES = 150;

/** Mean kilobits a second of noise, which no encoder can shrink, over the last four of five seconds. */
async function bitrateOfNoiseKbps(encoder: Record<string, string>): Promise<number> {
  const pipeline = new Pipeline(
    `videotestsrc name=source pattern=snow num-buffers=${FRAMES} ! video/x-raw,format=I420,width=320,height=240,framerate=${FPS}/1 ` +
      '! capx264enc name=encoder ! appsink name=units sync=false',
    { encoder },
  );
  const hub = native((addon) => new addon.AccessUnitHub(pipeline.native, 'units', 1000, false, 0));
  const ended = new Promise<void>((resolve, reject) => {
    pipeline.on('ended', resolve);
    pipeline.on('failed', reject);
  });
  try {
    await pipeline.play();
    await ended;
    expect(hub.stats().accessUnits).toBe(FRAMES);
    return (hub.stats().bytes * 8) / 1000 / (FRAMES / FPS);
  } finally {
    hub.close();
    await pipeline.close();
  }
}

test('the coarsest quantizer there is can be reached from 12 on', async () => {
  for (const quantizer of ['12', '20', '35']) {
    // Noise at a quantizer of 40 has some 5000 kbit/s.
    expect(await bitrateOfNoiseKbps({ quantizer, 'max-bitrate': '1500' }), quantizer).toBeLessThan(1500 * 1.3);
  }
});

test('a constant quantizer keeps to the bitrate that bounds it, and is left alone under it', async () => {
  const free = await bitrateOfNoiseKbps({ quantizer: '30', 'max-bitrate': '200000' });
  const bounded = await bitrateOfNoiseKbps({ quantizer: '30', 'max-bitrate': '2000' });
  const loose = await bitrateOfNoiseKbps({ quantizer: '30', 'max-bitrate': String(Math.ceil(free * 2)) });
  expect(free).toBeGreaterThan(4000);
  // The bucket holds a second's worth, of which half may be in it at the end.
  expect(bounded).toBeLessThan(2000 * 1.25);
  expect(bounded).toBeGreaterThan(1000);
  expect(loose / free).toBeCloseTo(1, 2);
});
