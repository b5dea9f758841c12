import type { AccessUnitStream } from './shared-stream.js';

/** What a door must know of a channel of sound to serve it. */
export interface AudioTrackDescription {
  /** GStreamer launch syntax of its RTP payloader. */
  readonly payloader: string;
  /** For people: `system output`. */
  readonly title: string;
}

/** A channel of sound, coded, for the doors that serve it beside the video. */
export interface AudioTrack extends AudioTrackDescription {
  readonly stream: AccessUnitStream;
}
