import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { clockId } from '../core/index.js';
import {
  describeSoundServer,
  loadSoundModule,
  moveSoundStream,
  type SoundServerDescription,
  type SoundStream,
  unloadSoundModule,
} from '../native/index.js';

/**
 * A null sink through which one application's sound is led, and the loopback by which its user still hears it. Both are
 * modules of the sound server and stay when we are killed; the sink's name tells whose they were: the process, when it
 * started, since ids come again, and the machine's boot, since sound servers can be on another machine.
 */
export interface SoundRoute {
  readonly sink: string;
  readonly monitor: string;
}

const PREFIX = 'cap_app';
const NAME = new RegExp(`\\b${PREFIX}_(\\d+)_(\\d+)_([0-9a-f]{16})_\\d+\\b`);
/** A stream that is elsewhere after so many moves cannot be moved. */
export const MOST_MOVES = 10;
/** Milliseconds by which the user hears the application later. */
const LOOPBACK_LATENCY_MS = 30;

let routes = 0;

/** A name that nothing else has. */
export function newRoute(): SoundRoute {
  routes += 1;
  const sink = [PREFIX, process.pid, startTicks(process.pid), bootId(), routes].join('_');
  return { sink, monitor: `${sink}.monitor` };
}

/** Loads the modules of a route. @throws CAP_DEPENDENCY_MISSING */
export async function openRoute({ sink, monitor }: SoundRoute): Promise<void> {
  // The lowest priority, so that nobody takes it for the default output.
  const properties = "sink_properties='device.description=cap priority.session=1'";
  await loadSoundModule('module-null-sink', `sink_name=${sink} rate=48000 channels=2 ${properties}`);
  const from = `source=${monitor} source_dont_move=true latency_msec=${LOOPBACK_LATENCY_MS}`;
  await loadSoundModule('module-loopback', from);
}

/** The streams that are led through the sink. */
export function streamsOn({ outputs, streams }: SoundServerDescription, sink: string): SoundStream[] {
  const index = outputs.find(({ name }) => name === sink)?.index;
  return streams.filter(({ output }) => output === index);
}

/**
 * Puts streams back to where they came from, or else to the default output, and unloads the route's modules.
 * @param homes names of the outputs where the streams were, by the streams' indices
 * @returns the streams that were put back
 */
export async function closeRoute(
  server: SoundServerDescription,
  { sink }: SoundRoute,
  homes: ReadonlyMap<number, string> = new Map(),
): Promise<SoundStream[]> {
  const moved = await putBack(server, sink, homes);
  // The loopback goes with its source in some servers, so that unloading it fails.
  for (const { index } of server.modules.filter(({ argument }) => argument.includes(sink)).reverse()) {
    await unloadSoundModule(index).catch(() => {});
  }
  return moved;
}

/**
 * PipeWire agrees to a move before it is done, and forgets it when the client that asked, which is ours, hangs up before
 * PipeWire has read it. So what is still there is moved again.
 */
async function putBack(
  server: SoundServerDescription,
  sink: string,
  homes: ReadonlyMap<number, string>,
): Promise<SoundStream[]> {
  const moved = new Map<number, SoundStream>();
  let now = server;
  for (let moves = 1; moves <= MOST_MOVES && streamsOn(now, sink).length > 0; moves += 1) {
    for (const stream of streamsOn(now, sink)) {
      const home = homes.get(stream.index) ?? '';
      const there = now.outputs.some(({ name }) => name === home);
      // One that has just ended cannot be moved, and need not be.
      await moveSoundStream(stream.index, there ? home : now.defaultOutput).then(
        () => moved.set(stream.index, stream),
        () => {},
      );
    }
    await setTimeout(moves * 20);
    now = await describeSoundServer();
  }
  return [...moved.values()];
}

/** The routes on the server whose process is gone. */
export function abandonedRoutes({ modules }: SoundServerDescription): SoundRoute[] {
  const sinks = new Set<string>();
  for (const { argument } of modules) {
    const [sink, pid, ticks, boot] = NAME.exec(argument) ?? [];
    if (sink && boot === bootId() && startTicks(Number(pid)) !== ticks) sinks.add(sink);
  }
  return [...sinks].map((sink) => ({ sink, monitor: `${sink}.monitor` }));
}

const bootId = (): string => clockId().toString(16).padStart(16, '0');

/** When a process started, in clock ticks after the boot; undefined when there is none. */
function startTicks(pid: number): string | undefined {
  try {
    // The program's name, in parentheses, may contain anything; the time is the 20th field after it (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
