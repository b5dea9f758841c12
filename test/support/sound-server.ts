import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { vi } from 'vitest';
import { type RunningProcess, run, start } from './process.js';

export type SoundServerKind = 'pulseaudio' | 'pipewire';
const isInstalled = (name: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, name)));
/** Those that are installed: some distributions have only one at a time. */
export const SOUND_SERVERS = (['pulseaudio', 'pipewire'] as const).filter(isInstalled);

/** A sound server of its own, with the outputs `speakers` (default), `headphones` and `air`, which `mic` hears. */
export interface TestSoundServer extends AsyncDisposable {
  /** For the environment of a child. */
  readonly env: { readonly PULSE_SERVER: string };
  /** Runs `pactl`. */
  control(...args: readonly string[]): Promise<string>;
  /** Ends it at once, without a word to its clients. */
  kill(): Promise<void>;
  /** Starts it again at the same address. */
  restart(): Promise<void>;
}

// The other two do not wait for the first one. What was killed leaves its socket.
const PIPEWIRE =
  'cd $XDG_RUNTIME_DIR; rm -f pipewire-0; pipewire & until test -S pipewire-0; do sleep 0.02; done; ' +
  'wireplumber & exec pipewire-pulse';

// Everything of the server in the folder that it gets as HOME; wireplumber needs a session bus.
const COMMANDS: Readonly<Record<SoundServerKind, (socket: string) => readonly string[]>> = {
  pulseaudio: (socket) => [
    ...['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '--disable-shm=yes'],
    ...['-L', `module-native-protocol-unix auth-anonymous=1 socket=${socket}`],
  ],
  pipewire: () => ['dbus-run-session', '--', 'sh', '-c', PIPEWIRE],
};

export async function startSoundServer(kind: SoundServerKind): Promise<TestSoundServer> {
  const folder = await mkdtemp(join(tmpdir(), 'cap-sound-'));
  const socket = join(folder, 'native');
  const env = { PULSE_SERVER: `unix:${socket}` };
  let server: RunningProcess | undefined;
  const control = async (...args: readonly string[]): Promise<string> => (await run('pactl', args, { env })).stdout;
  const end = async (): Promise<void> => {
    server?.killGroup();
    await server?.exited;
  };
  const restart = async (): Promise<void> => {
    server = launch(kind, folder, socket);
    await vi.waitFor(async () => void (await control('info')), { timeout: 20_000, interval: 50 });
    await addDevices(control);
  };
  const close = async (): Promise<void> => {
    await end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await restart();
    return { env, control, kill: end, restart, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function launch(kind: SoundServerKind, folder: string, socket: string): RunningProcess {
  const [command = '', ...args] = COMMANDS[kind](socket);
  const homes = ['HOME', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'PULSE_RUNTIME_PATH'];
  const env = Object.fromEntries(homes.map((name) => [name, folder]));
  const own = { PULSE_SERVER: undefined, DISPLAY: undefined, DBUS_SESSION_BUS_ADDRESS: undefined };
  return start(command, args, { env: { ...env, ...own } });
}

async function addDevices(control: TestSoundServer['control']): Promise<void> {
  for (const name of ['speakers', 'headphones', 'air'])
    await control('load-module', 'module-null-sink', `sink_name=${name}`);
  await control('load-module', 'module-remap-source', 'master=air.monitor', 'source_name=mic');
  // PipeWire's session manager has its own idea of the defaults, and takes a moment.
  const settle = async (): Promise<void> => {
    await control('set-default-sink', 'speakers');
    await control('set-default-source', 'mic');
    const info = await control('info');
    if (!/Default Sink: speakers\nDefault Source: mic\n/.test(info)) throw new Error(info);
  };
  await vi.waitFor(settle, { timeout: 20_000, interval: 50 });
}

/** An application that plays one tone. */
export async function playTone(
  server: TestSoundServer,
  hz: number,
  name = 'Tone',
  device?: string,
): Promise<RunningProcess> {
  const output = ['pulsesink', `client-name=${name}`, ...(device ? [`device=${device}`] : [])];
  const player = start('gst-launch-1.0', ['audiotestsrc', 'is-live=true', `freq=${hz}`, '!', ...output], {
    env: server.env,
  });
  try {
    await vi.waitFor(
      async () => {
        const playing = (await streamsOf(server)).find(({ processId }) => processId === player.pid);
        // PipeWire shows a stream before it is where it wants to be.
        if (!playing || (device && playing.sink !== device)) throw new Error(`${name} does not play yet`);
      },
      { timeout: 20_000, interval: 50 },
    );
    return player;
  } catch (error) {
    await player.close();
    throw error;
  }
}

/** What an application plays. */
export interface PlayedStream {
  readonly application: string;
  readonly processId: number;
  /** Name of the output. */
  readonly sink: string;
}

export async function streamsOf(server: TestSoundServer): Promise<PlayedStream[]> {
  const sinks = [...(await server.control('list', 'short', 'sinks')).matchAll(/^(\d+)\t(\S+)/gm)];
  const names = new Map(sinks.map(([, index, name]) => [index, name ?? '']));
  const streams = (await server.control('list', 'sink-inputs')).split('Sink Input #').slice(1);
  return streams.map((text) => ({
    application: /application\.name = "(.*)"/.exec(text)?.[1] ?? '',
    processId: Number(/application\.process\.id = "(\d+)"/.exec(text)?.[1]),
    sink: names.get(/Sink: (\d+)/.exec(text)?.[1] ?? '') ?? '',
  }));
}
