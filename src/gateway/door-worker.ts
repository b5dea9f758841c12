import { isDeepStrictEqual } from 'node:util';
import { CapError, closeAll } from '../core/index.js';
import { type OpenedHttp, openHttp } from '../server/index.js';
import {
  type AudioTrackDescription,
  audioSocketName,
  ReceivedStream,
  RtspServer,
  type StreamRate,
  StreamTable,
} from '../session/index.js';
import type { DoorCalls, ServedMount } from './worker-calls.js';
import { gatewayLogger, serveGateway } from './worker-process.js';

// A process of the gateway: serves what capture workers send. See worker.ts, which supervises it.
interface Mount {
  readonly stream: ReceivedStream;
  readonly audio: readonly AudioTrackDescription[];
  readonly served: Promise<void>;
  close(): Promise<void>;
}

const mounts = new Map<string, Mount>();
const rates = new Map<string, StreamRate>();
const streams = new StreamTable();
let server: RtspServer | undefined;
let http: OpenedHttp | undefined;

const calls: DoorCalls = {
  async open({ rtsp, http: httpOptions }) {
    const logger = gatewayLogger(gateway);
    server = new RtspServer({ ...rtsp, logger });
    if (server.exposure) logger.warn(server.exposure);
    streams.countReaders('rtsp', ({ path }) => opened().stats.readers.filter((reader) => reader.path === path).length);
    streams.reportReaders('rtsp', ({ path }) => opened().readerReports(path));
    http = httpOptions && (await openHttp(streams, { ...httpOptions, logger }));
    if (http?.exposure) logger.warn(http.exposure);
    return { rtspUrls: server.urls('/').map((url) => url.slice(0, -1)), httpUrl: http?.url };
  },
  async serve(served) {
    const { path, label, audio } = served;
    // Other channels of sound are another description, which readers must ask for anew.
    if (!isDeepStrictEqual(mounts.get(path)?.audio ?? audio, audio)) await calls.remove(path);
    const mount = mounts.get(path) ?? addMount(served);
    try {
      await mount.served;
      streams.add({ path, label, stream: mount.stream, rate: () => rates.get(path) });
    } catch (error) {
      await calls.remove(path);
      throw error;
    }
  },
  async remove(path) {
    const mount = mounts.get(path);
    mounts.delete(path);
    rates.delete(path);
    streams.remove(path);
    if (!mount) return;
    await server?.unmount(path);
    await mount.close();
  },
  noteRate(path, rate) {
    if (rate) rates.set(path, rate);
    else rates.delete(path);
  },
  readerReports: () => streams.readerReports(),
  stats: () => ({ rtsp: opened().stats, http: http?.stats }),
  kick: (id) => opened().kick(id),
};

function addMount({ path, socketName, audio, limits }: ServedMount): Mount {
  const stream = new ReceivedStream(socketName);
  const tracks = audio.map((track, index) => ({
    ...track,
    stream: new ReceivedStream(audioSocketName(socketName, index + 1)),
  }));
  const served = opened().mount(path, stream, { ...limits, audio: tracks });
  const close = () => closeAll([stream, ...tracks.map((track) => track.stream)]);
  const mount = { stream, audio, served, close };
  mounts.set(path, mount);
  return mount;
}

function opened(): RtspServer {
  if (!server) throw new CapError('CAP_INTERNAL', 'the RTSP server is not open');
  return server;
}

const gateway = serveGateway(calls, async () => {
  await http?.close();
  await server?.close();
  await closeAll([...mounts.values()]);
});
