import { describeSoundServer, type SoundServerDescription } from '../native/index.js';
import { playingApps } from './playing-apps.js';

/** Something to hear: what an output or an application plays, or a microphone. */
export interface AudioRow {
  readonly kind: 'output' | 'microphone' | 'application';
  readonly name: string;
  /** The sound server's name of a device; an application's program. */
  readonly path: string;
  /** What captures it. */
  readonly argument: string;
}

/** `pulseaudio 16.1`. @throws CAP_DEPENDENCY_MISSING when there is none */
export async function soundServerName(): Promise<string> {
  return (await describeSoundServer()).name;
}

/** What the sound server has; nothing when there is none, or it does not answer. */
export async function listAudio(): Promise<AudioRow[]> {
  const server = await describeSoundServer().catch(() => undefined);
  return server ? [...devices(server), ...applications(server)] : [];
}

function devices({ inputs, defaultOutput, defaultInput }: SoundServerDescription): AudioRow[] {
  return inputs.map(({ name, description, monitor }) => {
    const byDefault = monitor ? name === `${defaultOutput}.monitor` && '--audio' : name === defaultInput && '--mic';
    const kind = monitor ? 'output' : 'microphone';
    return { kind, name: description, path: name, argument: byDefault || `--audio-device ${quoted(name)}` };
  });
}

function applications(server: SoundServerDescription): AudioRow[] {
  const apps = playingApps(server);
  return apps.map(({ name, binary, processId }) => {
    const alone = apps.filter((other) => other.name.toLowerCase() === name.toLowerCase()).length === 1;
    return { kind: 'application', name, path: binary, argument: `--app ${quoted(alone ? name : processId)}` };
  });
}

/** As one word of a shell: names come from other programs. */
const quoted = (text: string): string => (/^[\w.:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
