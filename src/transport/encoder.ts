import { expectInteger } from '../core/index.js';
import type { ElementProperties } from '../native/index.js';

/** x264's speed presets, the fastest first; a slower one makes smaller frames and costs latency. */
export type SpeedPreset = 'ultrafast' | 'superfast' | 'veryfast' | 'faster' | 'fast' | 'medium';
/** The speed presets there are, the fastest first. */
export const SPEED_PRESETS: readonly SpeedPreset[] = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium'];

/** H.264 quality levels by constant rate factor. */
export const QUALITY_CRF = { low: 28, medium: 23, high: 20, ultra: 18 } as const;
/** A name for a constant rate factor; see QUALITY_CRF. */
export type Quality = keyof typeof QUALITY_CRF;

/** The encoders that can be chosen by name; the elements behind them are in encoders.ts. */
export const ENCODER_NAMES = [
  'auto',
  'x264',
  'x264enc',
  'openh264',
  'vaapi',
  'nvenc',
  'v4l2',
  'qsv',
  'videotoolbox',
  'mediafoundation',
] as const;
/** A name of ENCODER_NAMES. */
export type EncoderName = (typeof ENCODER_NAMES)[number];

/** How a picture is coded. The defaults are for text on a screen that is watched live. */
export interface EncoderOptions {
  /**
   * What encodes. `auto` is libx264 where the source tells what changed, as a still screen then costs nearly nothing,
   * which no hardware encoder knows of; elsewhere the first hardware encoder that passes a trial, else libx264.
   * Another one that fails its trial gives way to libx264 with a warning. @default 'auto'
   */
  readonly encoder?: EncoderName | undefined;
  /** Whether `auto` may choose a hardware encoder. @default true */
  readonly hardware?: boolean | undefined;
  /** Constant rate factor, or constant quantizer, 0 to 51; lower is better. @default 20 */
  readonly crf?: number | undefined;
  /**
   * `quantizer` codes every frame with that quantizer, coarser only while the bitrate is over its bound:
   * on a screen where little changes it costs two thirds of `crf`. `crf` is x264's own, for files. @default 'quantizer'
   */
  readonly rateControl?: 'quantizer' | 'crf' | undefined;
  /** x264's speed preset. @default 'ultrafast' */
  readonly speed?: SpeedPreset | undefined;
  /** Seconds between key frames when nobody asks for one, 1 to 600. @default 10 */
  readonly gopSeconds?: number | undefined;
  /** Most kilobits a second, averaged over one second, 100 to 200000; H.264 level 4.1 allows 50000. @default 50000 */
  readonly maxBitrateKbps?: number | undefined;
}

/** A GStreamer fragment from I420 to H.264 access units in byte-stream format. */
export interface EncoderFragment {
  readonly launch: string;
  readonly properties: ElementProperties;
  /** The properties of its element `encoder` for another bitrate while it runs; absent where it has none. */
  readonly liveBitrate?: (maxBitrateKbps: number) => Readonly<Record<string, string>>;
}

/**
 * libx264 for low latency: sliced threads, no look-ahead, no B frames; frame threads would add about
 * 55 ms. It is told which macroblocks did not change, where the source knows. Key frames come when a
 * reader joins, so the GOP can be long.
 */
export function x264Encoder(options: EncoderOptions, framesPerSecond: number): EncoderFragment {
  const { crf, speed, rateControl, maxBitrateKbps, gopFrames } = encoderSettings(options, framesPerSecond);
  return {
    launch: 'capx264enc name=encoder',
    properties: {
      encoder: {
        'speed-preset': speed,
        [rateControl]: String(crf),
        'max-bitrate': String(maxBitrateKbps),
        'key-int-max': String(gopFrames),
      },
    },
    // x264's own rate control would have to be told in another way.
    ...(rateControl === 'quantizer' ? { liveBitrate: (kbps) => ({ 'max-bitrate': String(kbps) }) } : {}),
  };
}

/** The options with their defaults, checked. */
export interface EncoderSettings {
  readonly crf: number;
  readonly speed: SpeedPreset;
  readonly rateControl: 'quantizer' | 'crf';
  readonly maxBitrateKbps: number;
  readonly gopFrames: number;
}

/** @throws CAP_USAGE */
export function encoderSettings(options: EncoderOptions, framesPerSecond: number): EncoderSettings {
  const gopSeconds = expectInteger('gopSeconds', options.gopSeconds ?? 10, 1, 600);
  return {
    crf: expectInteger('crf', options.crf ?? 20, 0, 51),
    speed: options.speed ?? 'ultrafast',
    rateControl: options.rateControl ?? 'quantizer',
    maxBitrateKbps: expectInteger('maxBitrateKbps', options.maxBitrateKbps ?? 50_000, 100, 200_000),
    gopFrames: Math.max(1, Math.round(gopSeconds * framesPerSecond)),
  };
}
