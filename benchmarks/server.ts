import { join } from 'node:path';
import { freePort } from '../test/support/port.js';
import { type RunningProcess, start } from '../test/support/process.js';
import { program, projectRoot } from '../test/support/programs.js';

/** A server that streams a display at /cap. */
export interface StreamServer extends AsyncDisposable {
  readonly url: string;
  readonly process: RunningProcess;
}

/** The whole `cap --rtsp` process, as a user starts it. */
export async function startCap(display: string, args: readonly string[] = []): Promise<StreamServer> {
  const command = [join(projectRoot, 'bin/cap.mjs'), '--rtsp', '--rtsp-port', '0', ...args];
  const process_ = start(process.execPath, command, { env: { DISPLAY: display } });
  return serving(process_, async () => (await process_.waitForOutput(/^rtsp:\/\/\S+$/m))[0]);
}

/** What gst-rtsp-server's own example would run: one shared media, captured by ximagesrc on a tick. */
const peerPipeline = (scale: string): string =>
  `( ximagesrc use-damage=false ! video/x-raw,framerate=30/1 ! ${scale}videoconvert ! video/x-raw,format=I420 ` +
  '! x264enc tune=zerolatency speed-preset=ultrafast bitrate=4000 key-int-max=30 bframes=0 ' +
  '! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 )';

/** @param size to which the peer scales the picture. @default the screen's own */
export async function startPeer(display: string, size?: { widthPx: number; heightPx: number }): Promise<StreamServer> {
  const scale = size ? `videoscale ! video/x-raw,width=${size.widthPx},height=${size.heightPx} ! ` : '';
  const port = await freePort();
  const process_ = start(await program('peer_server'), [`${port}`, peerPipeline(scale)], { env: { DISPLAY: display } });
  return serving(process_, async () => {
    await process_.waitForOutput(/rtsp:/);
    return `rtsp://127.0.0.1:${port}/cap`;
  });
}

async function serving(process_: RunningProcess, ready: () => Promise<string>): Promise<StreamServer> {
  try {
    return { url: await ready(), process: process_, [Symbol.asyncDispose]: () => process_.close() };
  } catch (error) {
    await process_.close();
    throw error;
  }
}
