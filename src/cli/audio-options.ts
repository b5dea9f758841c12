import { type Command, Option } from 'commander';
import { CapError } from '../core/index.js';
import { AUDIO_CODECS, type AudioCodec, type AudioOptions } from '../session/index.js';
import { oneOf } from './parse-options.js';

/** The options that say which sound is captured. */
export interface AudioFlags {
  readonly audio?: true;
  readonly mic?: true;
  readonly audioDevice?: string;
  readonly app?: string;
  readonly audioCodec?: AudioCodec;
}

export function addAudioOptions(command: Command): Command {
  return command
    .option('--audio', 'capture what the default sound output plays')
    .option('--app <name|pid>', 'capture what one application plays; see `cap sources`')
    .option('--audio-device <name>', 'capture a sound device by its name in `cap sources`')
    .option('--mic', 'capture the default microphone')
    .addOption(
      new Option('--audio-codec <name>', `${AUDIO_CODECS.join(' or ')} (default: opus, aac without --rtsp)`).argParser(
        oneOf('--audio-codec', AUDIO_CODECS),
      ),
    );
}

/**
 * @param recordOnly the sound goes into a file alone, where more players know AAC
 * @throws CAP_USAGE for a codec without sound
 */
export function toAudio(flags: AudioFlags, recordOnly: boolean): AudioOptions {
  const { audio: output, mic: microphone, audioDevice: device, app, audioCodec } = flags;
  if (audioCodec !== undefined && !hearsAnything(flags)) {
    throw new CapError('CAP_USAGE', '--audio-codec is for sound', { hint: 'add --audio, --app or --mic' });
  }
  return { output, microphone, device, app, codec: audioCodec ?? (recordOnly ? 'aac' : 'opus') };
}

export function hearsAnything({ audio, mic, audioDevice, app }: AudioFlags): boolean {
  return [audio, mic, audioDevice, app].some((value) => value !== undefined);
}
