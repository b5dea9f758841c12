import type { EncoderFragment, EncoderName, EncoderSettings } from './encoder.js';

/** One GStreamer element that encodes H.264, and how it is told to do so with low latency. */
export interface EncoderElement {
  readonly name: Exclude<EncoderName, 'auto' | 'x264'>;
  readonly element: string;
  readonly hardware: boolean;
  /** The pixel format it takes. */
  readonly format: 'I420' | 'NV12';
  /** Whether each key frame carries SPS and PPS; else h264parse adds them. */
  readonly repeatsParameterSets: boolean;
  /** Whether it keeps to a bitrate at all, and not to its quantizer alone. @default false */
  readonly boundsBitrate?: true;
  /** Those that set another bitrate while it runs; absent where that would restart it, or it knows none. */
  readonly liveBitrate?: (settings: EncoderSettings) => Readonly<Record<string, string | number>>;
  properties(settings: EncoderSettings): Readonly<Record<string, string | number | boolean>>;
}

/**
 * Bits a second for encoders that know no quantizer, in kbit/s: 8000 at CRF 23, doubled by 6 less (x264's rule of
 * thumb for its rate factor), and within the bound.
 */
export function bitrateOf({ crf, maxBitrateKbps }: EncoderSettings): number {
  return Math.max(100, Math.min(maxBitrateKbps, Math.round(8000 * 2 ** ((23 - crf) / 6))));
}

/**
 * Every encoder but our own, in the order in which they are tried. A quantizer looks about the same in all of them,
 * so the rate factor is taken for one; none has B frames or looks ahead.
 */
export const ENCODER_ELEMENTS: readonly EncoderElement[] = [
  {
    name: 'vaapi',
    element: 'vah264enc',
    hardware: true,
    format: 'NV12',
    repeatsParameterSets: false,
    properties: ({ crf, gopFrames }) => ({
      'rate-control': 'cqp',
      qpi: crf,
      qpp: crf,
      'b-frames': 0,
      'ref-frames': 1,
      'target-usage': 7,
      'key-int-max': Math.min(gopFrames, 1024),
    }),
  },
  {
    name: 'vaapi',
    element: 'vah264lpenc',
    hardware: true,
    format: 'NV12',
    repeatsParameterSets: false,
    properties: ({ crf, gopFrames }) => ({
      'rate-control': 'cqp',
      qpi: crf,
      qpp: crf,
      'b-frames': 0,
      'ref-frames': 1,
      'target-usage': 7,
      'key-int-max': Math.min(gopFrames, 1024),
    }),
  },
  {
    name: 'vaapi',
    element: 'vaapih264enc',
    hardware: true,
    format: 'NV12',
    repeatsParameterSets: false,
    properties: ({ crf, gopFrames }) => ({
      'rate-control': 'cqp',
      'init-qp': crf,
      'max-bframes': 0,
      'quality-level': 7,
      'keyframe-period': gopFrames,
    }),
  },
  {
    name: 'nvenc',
    element: 'nvh264enc',
    hardware: true,
    format: 'NV12',
    repeatsParameterSets: false,
    properties: ({ crf, gopFrames }) => ({
      preset: 'low-latency-hq',
      zerolatency: true,
      'rc-mode': 'constqp',
      'qp-const': crf,
      bframes: 0,
      'gop-size': gopFrames,
    }),
  },
  {
    name: 'qsv',
    element: 'qsvh264enc',
    hardware: true,
    format: 'NV12',
    repeatsParameterSets: false,
    properties: ({ crf, gopFrames }) => ({
      'low-latency': true,
      'rate-control': 'cqp',
      'qp-i': crf,
      'qp-p': crf,
      'b-frames': 0,
      'ref-frames': 1,
      'target-usage': 7,
      'gop-size': gopFrames,
    }),
  },
  {
    name: 'v4l2',
    element: 'v4l2h264enc',
    boundsBitrate: true,
    hardware: true,
    format: 'NV12',
    repeatsParameterSets: false,
    properties: (settings) => ({
      'extra-controls':
        `controls,video_bitrate=${bitrateOf(settings) * 1000},` +
        `h264_i_frame_period=${settings.gopFrames},repeat_sequence_header=1`,
    }),
  },
  {
    name: 'videotoolbox',
    element: 'vtenc_h264_hw',
    boundsBitrate: true,
    hardware: true,
    format: 'NV12',
    repeatsParameterSets: false,
    liveBitrate: (settings) => ({ bitrate: bitrateOf(settings) }),
    properties: (settings) => ({
      realtime: true,
      'allow-frame-reordering': false,
      bitrate: bitrateOf(settings),
      'max-keyframe-interval': settings.gopFrames,
    }),
  },
  {
    name: 'mediafoundation',
    element: 'mfh264enc',
    boundsBitrate: true,
    hardware: true,
    format: 'NV12',
    repeatsParameterSets: false,
    properties: (settings) => ({
      'low-latency': true,
      bframes: 0,
      bitrate: bitrateOf(settings),
      'gop-size': settings.gopFrames,
    }),
  },
  {
    name: 'x264enc',
    element: 'x264enc',
    hardware: false,
    format: 'I420',
    repeatsParameterSets: true,
    properties: ({ crf, speed, rateControl, maxBitrateKbps, gopFrames }) => ({
      tune: 'zerolatency',
      'speed-preset': speed,
      pass: rateControl === 'crf' ? 'qual' : 'quant',
      quantizer: crf,
      // With a rate factor or quantizer this is the bound, over the buffer's one second.
      bitrate: maxBitrateKbps,
      'vbv-buf-capacity': 1000,
      'key-int-max': gopFrames,
      'byte-stream': true,
      aud: true,
      'option-string': 'scenecut=0',
    }),
  },
  {
    name: 'openh264',
    element: 'openh264enc',
    boundsBitrate: true,
    hardware: false,
    format: 'I420',
    repeatsParameterSets: true,
    properties: (settings) => ({
      'usage-type': 'screen',
      complexity: 'low',
      'rate-control': 'quality',
      bitrate: bitrateOf(settings) * 1000,
      'max-bitrate': settings.maxBitrateKbps * 1000,
      'qp-min': Math.max(0, settings.crf - 8),
      'qp-max': Math.min(51, settings.crf + 8),
      'gop-size': settings.gopFrames,
      'scene-change-detection': false,
    }),
  },
];

/** The pipeline of one of them, from I420 to access units in byte-stream format. */
export function encoderFragment(row: EncoderElement, settings: EncoderSettings): EncoderFragment {
  const convert = row.format === 'I420' ? '' : `videoconvert ! video/x-raw,format=${row.format} ! `;
  const parse = row.repeatsParameterSets ? '' : ' ! h264parse config-interval=-1';
  const texts = (properties: object): Record<string, string> =>
    Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, String(value)]));
  const { liveBitrate } = row;
  return {
    launch: `${convert}${row.element} name=encoder${parse} ! video/x-h264,stream-format=byte-stream,alignment=au`,
    properties: { encoder: texts(row.properties(settings)) },
    ...(liveBitrate ? { liveBitrate: (kbps) => texts(liveBitrate({ ...settings, maxBitrateKbps: kbps })) } : {}),
  };
}
