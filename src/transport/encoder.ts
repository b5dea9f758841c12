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

/** How a picture is coded. The defaults are for text on a screen that is watched live. */
export interface EncoderOptions {
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
}

/**
 * libx264 for low latency: sliced threads, no look-ahead, no B frames; frame threads would add about
 * 55 ms. It is told which macroblocks did not change, where the source knows. Key frames come when a
 * reader joins, so the GOP can be long.
 */
export function x264Encoder(options: EncoderOptions, framesPerSecond: number): EncoderFragment {
  const crf = expectInteger('crf', options.crf ?? 20, 0, 51);
  const gopSeconds = expectInteger('gopSeconds', options.gopSeconds ?? 10, 1, 600);
  const maxBitrateKbps = expectInteger('maxBitrateKbps', options.maxBitrateKbps ?? 50_000, 100, 200_000);
  return {
    launch: 'capx264enc name=encoder',
    properties: {
      encoder: {
        'speed-preset': options.speed ?? 'ultrafast',
        [options.rateControl ?? 'quantizer']: String(crf),
        'max-bitrate': String(maxBitrateKbps),
        'key-int-max': String(Math.max(1, Math.round(gopSeconds * framesPerSecond))),
      },
    },
  };
}
