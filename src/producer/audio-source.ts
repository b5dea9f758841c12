import { CapError, type Closable } from '../core/index.js';
import {
  describeSoundServer,
  type ElementProperties,
  type Pipeline,
  type SoundServerDescription,
} from '../native/index.js';
import { AppRoute } from './app-route.js';

/** Which sound is captured: each of these is a channel, with a stream or track of its own. */
export interface AudioChannels {
  /** What the default output plays, also when another one becomes the default. @default false */
  readonly output?: boolean | undefined;
  /** The default microphone. It is opened only when this asks for it. @default false */
  readonly microphone?: boolean | undefined;
  /** A device by its name in `listSources`: another microphone, or another output's monitor. */
  readonly device?: string | undefined;
  /** What one application plays: its name, program, application id or process id. */
  readonly app?: string | undefined;
}

/** A channel of sound, found, not yet running. */
export interface AudioSource {
  /** For people: `system output`, `microphone`, `application mpv`. */
  readonly label: string;
  /** Properties of the element `cappulsesrc`. */
  readonly properties: ElementProperties[string];
  /** Follows what plays while it is captured. */
  watch?(pipeline: Pipeline): void;
  /** Puts back what was changed for it. */
  readonly close: Closable['close'];
}

const changesNothing = async (): Promise<void> => {};

/** Every kind of channel, in the order in which they are served: players play the first one. */
const OPENERS: readonly ((
  channels: AudioChannels,
  server: SoundServerDescription,
  warn: (message: string) => void,
) => AudioSource | undefined | Promise<AudioSource>)[] = [
  ({ output }, server) => (output ? systemOutput(server) : undefined),
  ({ app }, server, warn) => (app === undefined ? undefined : application(app, server, warn)),
  ({ device }, server) => (device === undefined ? undefined : namedDevice(device, server)),
  ({ microphone }, server) => (microphone ? defaultMicrophone(server) : undefined),
];

/**
 * Finds the channels. Whoever does not capture the results must close them.
 * @param warn hears what a user should know while they are captured
 * @throws CAP_SOURCE_NOT_FOUND, CAP_DEPENDENCY_MISSING when there is no sound server
 */
export async function openAudioSources(
  channels: AudioChannels,
  warn: (message: string) => void,
): Promise<AudioSource[]> {
  if (!Object.values(channels).some((wanted) => wanted !== undefined && wanted !== false)) return [];
  const server = await describeSoundServer();
  const sources: AudioSource[] = [];
  try {
    for (const open of OPENERS) {
      const source = await open(channels, server, warn);
      if (source) sources.push(source);
    }
    return sources;
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
}

function systemOutput({ outputs, defaultOutput }: SoundServerDescription): AudioSource {
  if (!outputs.some(({ name }) => name === defaultOutput)) {
    throw new CapError('CAP_SOURCE_NOT_FOUND', 'the sound server has no output', { hint: 'connect one' });
  }
  return { label: 'system output', properties: {}, close: changesNothing };
}

function defaultMicrophone({ inputs, defaultInput }: SoundServerDescription): AudioSource {
  // Without a microphone servers give the monitor of an output for one.
  if (!inputs.some(({ name, monitor }) => name === defaultInput && !monitor)) {
    throw new CapError('CAP_SOURCE_NOT_FOUND', 'there is no default microphone', {
      hint: 'connect one, or name a device of `cap sources` with --audio-device',
    });
  }
  return { label: 'microphone', properties: { microphone: 'true' }, close: changesNothing };
}

function namedDevice(device: string, { inputs }: SoundServerDescription): AudioSource {
  const found = inputs.find(({ name }) => name === device);
  if (found) return { label: `device ${found.description}`, properties: { device }, close: changesNothing };
  throw new CapError('CAP_SOURCE_NOT_FOUND', `there is no sound device "${device}"`, {
    hint: `devices: ${inputs.map(({ name }) => name).join(', ') || 'none'}`,
  });
}

async function application(
  app: string,
  server: SoundServerDescription,
  warn: (message: string) => void,
): Promise<AudioSource> {
  const route = await AppRoute.open(app, server, warn);
  return {
    label: `application ${app}`,
    properties: { device: route.device, 'watch-streams': 'true' },
    watch: (pipeline) => pipeline.on('streamsChanged', () => route.update()),
    close: route.close,
  };
}
