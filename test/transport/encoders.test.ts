import { describe, expect, test } from 'vitest';
import { Sampler } from '../../src/consumer/sampler.js';
import { createStreamLogger, type Logger, silentLogger } from '../../src/core/index.js';
import { bitrateOf, ENCODER_ELEMENTS, encoderFragment } from '../../src/transport/encoders.js';
import { chooseEncoder, type EncoderOptions, encoderSettings, tryEncoder } from '../../src/transport/index.js';
import { serveCapture, testPicture } from '../support/capture.js';

const settings = encoderSettings({ crf: 24, gopSeconds: 2, maxBitrateKbps: 9000 }, 30);

function collect(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  return { lines, logger: createStreamLogger({ stream: { write: (text) => lines.push(text) } }) };
}

const choose = async (options: EncoderOptions, tellsDamage = false) =>
  (await chooseEncoder(options, { fps: 30, tellsDamage, logger: silentLogger })).launch;

describe('the table', () => {
  // Properties of elements that this machine need not have: as their documentation has them.
  test.each([
    [
      'vah264enc',
      'videoconvert ! video/x-raw,format=NV12 ! vah264enc name=encoder ! h264parse config-interval=-1 !',
      {
        'rate-control': 'cqp',
        qpi: '24',
        qpp: '24',
        'b-frames': '0',
        'ref-frames': '1',
        'target-usage': '7',
        'key-int-max': '60',
      },
    ],
    [
      'nvh264enc',
      'videoconvert ! video/x-raw,format=NV12 ! nvh264enc name=encoder ! h264parse config-interval=-1 !',
      {
        preset: 'low-latency-hq',
        zerolatency: 'true',
        'rc-mode': 'constqp',
        'qp-const': '24',
        bframes: '0',
        'gop-size': '60',
      },
    ],
    [
      'qsvh264enc',
      'videoconvert ! video/x-raw,format=NV12 ! qsvh264enc name=encoder ! h264parse config-interval=-1 !',
      {
        'low-latency': 'true',
        'rate-control': 'cqp',
        'qp-i': '24',
        'qp-p': '24',
        'b-frames': '0',
        'ref-frames': '1',
        'target-usage': '7',
        'gop-size': '60',
      },
    ],
    [
      'v4l2h264enc',
      'videoconvert ! video/x-raw,format=NV12 ! v4l2h264enc name=encoder ! h264parse config-interval=-1 !',
      { 'extra-controls': 'controls,video_bitrate=7127000,h264_i_frame_period=60,repeat_sequence_header=1' },
    ],
    [
      'vtenc_h264_hw',
      'videoconvert ! video/x-raw,format=NV12 ! vtenc_h264_hw name=encoder ! h264parse config-interval=-1 !',
      { realtime: 'true', 'allow-frame-reordering': 'false', bitrate: '7127', 'max-keyframe-interval': '60' },
    ],
    [
      'mfh264enc',
      'videoconvert ! video/x-raw,format=NV12 ! mfh264enc name=encoder ! h264parse config-interval=-1 !',
      { 'low-latency': 'true', bframes: '0', bitrate: '7127', 'gop-size': '60' },
    ],
  ])('%s', (element, launch, properties) => {
    const row = ENCODER_ELEMENTS.find((candidate) => candidate.element === element);
    if (!row) throw new Error(`${element} is not in the table`);
    const fragment = encoderFragment(row, settings);
    expect(fragment.launch).toBe(`${launch} video/x-h264,stream-format=byte-stream,alignment=au`);
    expect(fragment.properties).toEqual({ encoder: properties });
  });

  test('a rate factor that is 6 less doubles the bitrate, within the bound', () => {
    const rate = (crf: number): number => bitrateOf({ ...settings, crf, maxBitrateKbps: 50_000 });
    expect(rate(23)).toBe(8000);
    expect(rate(17)).toBe(16_000);
    expect(rate(29)).toBe(4000);
    expect(rate(0)).toBe(50_000);
    expect(rate(51)).toBeGreaterThanOrEqual(100);
  });

  test('every element that is installed takes its properties', async () => {
    const installed = ENCODER_ELEMENTS.filter(({ hardware }) => !hardware);
    expect(installed.map(({ name }) => name)).toEqual(['x264enc', 'openh264']);
    for (const row of installed) expect(await tryEncoder(encoderFragment(row, settings))).toBeUndefined();
  });
});

describe('the trial', () => {
  test('says why an encoder fails', async () => {
    expect(await tryEncoder({ launch: 'nosuchenc name=encoder', properties: {} })).toMatch(/nosuchenc/);
    const wrong = { launch: 'x264enc name=encoder', properties: { encoder: { nonsense: '1' } } };
    expect(await tryEncoder(wrong)).toMatch(/has no property "nonsense"/);
    // One that swallows frames.
    const silent =
      'x264enc name=encoder tune=zerolatency ! identity drop-probability=1 ! video/x-h264,stream-format=byte-stream';
    expect(await tryEncoder({ launch: silent, properties: {} })).toBe('0 of 5 frames came out of it');
    // One that takes too long.
    const slow = 'identity sleep-time=2000000 ! x264enc name=encoder tune=zerolatency';
    expect(await tryEncoder({ launch: slow, properties: {} })).toMatch(/longer than \d seconds/);
  });
});

describe('the choice', () => {
  test('x264 where the source tells what changed, or hardware is not wanted, or none works', async () => {
    expect(await choose({}, true)).toMatch(/^capx264enc /);
    expect(await choose({ encoder: 'x264' })).toMatch(/^capx264enc /);
    expect(await choose({ hardware: false })).toMatch(/^capx264enc /);
    const { lines, logger } = collect();
    const { launch } = await chooseEncoder({}, { fps: 30, tellsDamage: false, logger });
    expect(launch).toMatch(/^(capx264enc|videoconvert) /);
    expect(lines).toEqual([]);
  });

  test('the one that is named, when it works', async () => {
    expect(await choose({ encoder: 'x264enc' }, true)).toMatch(/^x264enc /);
    expect(await choose({ encoder: 'openh264' })).toMatch(/^openh264enc /);
  });

  test('x264 with one warning, when it does not', async () => {
    const { lines, logger } = collect();
    const { launch } = await chooseEncoder({ encoder: 'mediafoundation' }, { fps: 30, tellsDamage: false, logger });
    expect(launch).toMatch(/^capx264enc /);
    expect(lines).toEqual([
      'warn: the encoder mediafoundation does not work here: mfh264enc not installed; x264 is used instead\n',
    ]);
  });

  test('names and contradictions are refused', async () => {
    await expect(choose({ encoder: 'h264' as 'x264' })).rejects.toThrow(
      /expected one of auto, x264, .* for the encoder/,
    );
    await expect(choose({ encoder: 'vaapi', hardware: false })).rejects.toMatchObject({ code: 'CAP_USAGE' });
    await expect(choose({ encoder: 'x264enc', crf: 60 })).rejects.toMatchObject({ code: 'CAP_USAGE' });
  });
});

test.each(['x264enc', 'openh264'] as const)(
  '%s: a joiner begins at once, and frames have metadata',
  async (encoder) => {
    await using capture = await serveCapture({ source: testPicture(), encoder: { encoder, gopSeconds: 600 } });
    for (let round = 0; round < 2; round++) {
      const sampler = new Sampler(capture.url, { connectTimeoutMs: 5000 });
      try {
        const { sequence } = await sampler.next();
        const frame = await sampler.next({ afterSequence: sequence });
        expect(frame).toMatchObject({ width: 320, height: 240, metadata: { source: { width: 320, height: 240 } } });
      } finally {
        await sampler.close();
      }
    }
  },
);
