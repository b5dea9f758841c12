import type { AccessUnitStream } from './shared-stream.js';

/** A channel of sound, coded, for the doors that serve it beside the video. */
export interface AudioTrack {
  readonly stream: AccessUnitStream;
  /** GStreamer launch syntax of its RTP payloader. */
  readonly payloader: string;
  /** For people: `system output`. */
  readonly title: string;
}
