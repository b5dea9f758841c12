import { type Closable, closeAll, type Logger, once } from '../core/index.js';
import { AudioCapture, type AudioChannels, openAudioSources, UNITS } from '../producer/index.js';
import {
  AUDIO_CODECS,
  type AudioCodec,
  type AudioEncoder,
  type AudioTrack,
  audioEncoder,
  SharedStream,
} from '../transport/index.js';

/** Which sound is captured, and how it is coded: once for each channel, whatever the number of doors. */
export interface AudioOptions extends AudioChannels {
  /** @default 'opus' */
  readonly codec?: AudioCodec | undefined;
}

/** Counters of one channel since the session was opened. */
export interface AudioStats {
  /** `system output`, `microphone`, `application mpv`. */
  readonly channel: string;
  readonly packets: number;
  readonly bytes: number;
}

interface Channel {
  readonly capture: AudioCapture;
  readonly track: AudioTrack & { readonly stream: SharedStream };
}

/** The channels of sound of a capture session. What fails here is told, and the video goes on. */
export class SessionAudio implements Closable {
  readonly #channels: readonly Channel[];

  private constructor(channels: readonly Channel[]) {
    this.#channels = channels;
  }

  /** Finds the channels; `start` runs them. @throws CAP_SOURCE_NOT_FOUND, CAP_DEPENDENCY_MISSING, CAP_USAGE */
  static async open({ codec = AUDIO_CODECS[0], ...wanted }: AudioOptions, logger: Logger): Promise<SessionAudio> {
    const encoder = audioEncoder(codec);
    const sources = await openAudioSources(wanted, (message) => logger.warn(message));
    const channels: Channel[] = [];
    try {
      for (const source of sources) channels.push(openChannel(new AudioCapture(source, encoder), encoder, logger));
      return new SessionAudio(channels);
    } catch (error) {
      await closeAll([...channels.map(({ capture }) => capture), ...sources]);
      throw error;
    }
  }

  async start(): Promise<void> {
    await Promise.all(this.#channels.map(({ capture }) => capture.start()));
  }

  /** Hears nothing until `resume`. */
  async rest(): Promise<void> {
    await Promise.all(this.#channels.map(({ capture }) => capture.rest()));
  }

  async resume(): Promise<void> {
    await Promise.all(this.#channels.map(({ capture }) => capture.resume()));
  }

  get tracks(): readonly Channel['track'][] {
    return this.#channels.map(({ track }) => track);
  }

  get stats(): AudioStats[] {
    return this.#channels.map(({ track: { title, stream } }) => {
      const { accessUnits, bytes } = stream.stats;
      return { channel: title, packets: accessUnits, bytes };
    });
  }

  readonly close = once(async () => {
    await closeAll(this.#channels.flatMap(({ capture, track }) => [track.stream, capture]));
  });
}

function openChannel(capture: AudioCapture, encoder: AudioEncoder, logger: Logger): Channel {
  const { payloader, codingDelayNs } = encoder;
  const stream = new SharedStream(capture.pipeline, UNITS, { codingDelayNs });
  const { label: title } = capture;
  capture.on('interrupted', (reason) => logger.warn(`${title}: ${reason}; silence until it is back`));
  capture.on('resumed', () => logger.info(`${title} is back`));
  capture.on('failed', (error) => {
    logger.warn(`${title}: ${error.message}; the stream goes on without it`);
    // Who waits for its packets need not any more.
    void stream.close();
  });
  return { capture, track: { stream, payloader, title } };
}
