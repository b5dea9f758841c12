import { unexpected } from '../core/index.js';
import type { ElementProperties } from '../native/index.js';

/** Codecs of sound. AAC in MP4 plays on more devices; Opus has less delay. */
export const AUDIO_CODECS = ['opus', 'aac'] as const;
/** A name of AUDIO_CODECS. */
export type AudioCodec = (typeof AUDIO_CODECS)[number];

/** How sound is coded, and how it is put into RTP packets. */
export interface AudioEncoder {
  readonly launch: string;
  readonly properties: ElementProperties;
  /** GStreamer launch syntax of the RTP payloader. */
  readonly payloader: string;
  /** What is decoded of a packet begins that much before the packet's time. */
  readonly codingDelayNs: number;
}

/** The encoder puts a frame of silence first, and its packets do not say so. */
const AAC_PRIMING_FRAMES = 1024;
const FRAME_NS = 1e9 / 48_000;

const BITRATE = { bitrate: '128000' };

const ENCODERS: Readonly<Record<AudioCodec, AudioEncoder>> = {
  opus: {
    launch: 'opusenc name=encoder',
    properties: { encoder: { ...BITRATE, 'audio-type': 'generic', 'frame-size': '20' } },
    payloader: 'rtpopuspay',
    codingDelayNs: 0,
  },
  aac: {
    launch: 'avenc_aac name=encoder',
    properties: { encoder: BITRATE },
    payloader: 'rtpmp4gpay',
    codingDelayNs: AAC_PRIMING_FRAMES * FRAME_NS,
  },
};

/** @throws CAP_USAGE */
export function audioEncoder(codec: AudioCodec): AudioEncoder {
  if (!AUDIO_CODECS.includes(codec)) throw unexpected('the audio codec', `one of ${AUDIO_CODECS.join(', ')}`, codec);
  return ENCODERS[codec];
}
