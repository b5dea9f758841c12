import { CapError } from '../core/index.js';
import type { SoundServerDescription, SoundStream } from '../native/index.js';

/** An application that plays sound now, with all that it plays. */
export interface PlayingApp {
  /** Its name for people, or its program's. */
  readonly name: string;
  readonly binary: string;
  readonly processId: string;
  readonly streams: readonly SoundStream[];
}

/** What is asked of an application's streams, also of those that come later. */
export type AppFilter = (stream: SoundStream) => boolean;

/** Streams of the server's own modules have neither name nor program. */
const nameOf = ({ application, binary }: SoundStream): string => application || binary;

/** The applications that play now, one for each process. */
export function playingApps({ streams }: SoundServerDescription): PlayingApp[] {
  const byProcess = new Map<string, SoundStream[]>();
  for (const stream of streams.filter(nameOf)) {
    const key = stream.processId || `${nameOf(stream)} ${stream.index}`;
    byProcess.set(key, [...(byProcess.get(key) ?? []), stream]);
  }
  return [...byProcess.values()].map((own) => {
    const [{ binary, processId } = { binary: '', processId: '' }] = own;
    return { name: own.map(nameOf)[0] ?? '', binary, processId, streams: own };
  });
}

/**
 * What tells the streams of one application from all others: by its name, its program or its application id, whatever
 * the letter case, or by its process id.
 * @throws CAP_SOURCE_NOT_FOUND when no application or more than one is meant; the hint lists what plays
 */
export function findApp(server: SoundServerDescription, wanted: string): AppFilter {
  const text = wanted.toLowerCase();
  const filter: AppFilter = (stream) =>
    stream.processId === wanted ||
    [stream.application, stream.binary, stream.applicationId].some((name) => name.toLowerCase() === text);
  const apps = playingApps(server);
  const found = text === '' ? [] : apps.filter(({ streams }) => streams.some(filter));
  if (found.length === 1) return filter;
  const message =
    found.length > 1 ? `more than one application is "${wanted}"` : `no application that plays sound is "${wanted}"`;
  throw new CapError('CAP_SOURCE_NOT_FOUND', message, { hint: hintOf(found.length > 1 ? found : apps) });
}

function hintOf(apps: readonly PlayingApp[]): string {
  if (apps.length === 0) return 'nothing plays sound now';
  const list = apps.map(({ name, binary, processId }) => `"${name}" (${binary || '?'}, process ${processId || '?'})`);
  return `playing: ${list.join(', ')}`;
}
