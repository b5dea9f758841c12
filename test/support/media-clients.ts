import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RtspTransport } from './clock.js';
import { run, start } from './process.js';
import { relayForVlc } from './vlc-relay.js';

export interface StreamFacts {
  readonly codec: string;
  readonly profile: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly pixelFormat: string;
}

/** What ffprobe finds in the first video stream of a file or an RTSP url. */
export async function probe(url: string, transport: RtspTransport = 'tcp'): Promise<StreamFacts> {
  const entries = 'stream=codec_name,profile,width,height,pix_fmt';
  const args = ['-v', 'error', ...inputOptions(url, transport), '-select_streams', 'v:0', '-show_entries', entries];
  const { stdout } = await run('ffprobe', [...args, '-of', 'json', url]);
  const stream = JSON.parse(stdout).streams[0];
  if (!stream) throw new Error(`no video stream in ${url}`);
  const { codec_name: codec, profile, width: widthPx, height: heightPx, pix_fmt: pixelFormat } = stream;
  return { codec, profile, widthPx, heightPx, pixelFormat };
}

/** Frames that ffmpeg decodes in so many seconds of stream time. */
export async function ffmpegFrames(url: string, seconds: number, transport: RtspTransport = 'tcp'): Promise<number> {
  const output = ['-t', `${seconds}`, '-an', '-fps_mode', 'passthrough', '-f', 'null', '-'];
  const args = [
    '-v',
    'error',
    '-nostdin',
    '-progress',
    'pipe:1',
    ...inputOptions(url, transport),
    '-i',
    url,
    ...output,
  ];
  const { stdout } = await run('ffmpeg', args, { timeoutMs: (seconds + 30) * 1000 });
  return Number([...stdout.matchAll(/^frame=\s*(\d+)/gm)].at(-1)?.[1] ?? 0);
}

/** Frames that a gst-launch pipeline decodes in so many seconds from its first one; over HTTP of a transport stream. */
export async function gstreamerFrames(url: string, seconds: number, transport: RtspTransport = 'udp'): Promise<number> {
  const source = isRtsp(url)
    ? ['rtspsrc', `location=${url}`, 'latency=0', `protocols=${transport}`, '!', 'rtph264depay']
    : ['souphttpsrc', `location=${url}`, 'is-live=true', '!', 'tsdemux'];
  const decoder = ['!', 'h264parse', '!', 'avdec_h264'];
  const counter = ['!', 'identity', 'name=frames', 'silent=false', '!', 'fakesink', 'sync=false'];
  await using client = start('gst-launch-1.0', ['-v', ...source, ...decoder, ...counter]);
  const frame = /frames: last-message = chain/g;
  await client.waitForOutput(new RegExp(frame.source));
  await client.waitForExit(seconds * 1000).catch(() => undefined);
  if (client.ended) throw new Error(`gst-launch ended early\n${client.stderr}`);
  return client.stdout.match(frame)?.length ?? 0;
}

/** What VLC made of a stream. */
export interface VlcOutput {
  /** Every `every`th frame became one. */
  readonly pictures: number;
  /** A WAV file's bytes; empty without sound. */
  readonly sound: Buffer;
}

/** Every `every`th frame that VLC shows becomes a JPEG; the number of them after so many seconds of play. */
export async function vlcPictures(url: string, seconds: number, every = 15): Promise<number> {
  return (await playInVlc(url, seconds, every)).pictures;
}

/** Plays a stream in VLC for so many seconds. */
export async function playInVlc(url: string, seconds: number, every = 15): Promise<VlcOutput> {
  const home = mkdtempSync(join(tmpdir(), 'cap-vlc-'));
  const pictures = join(home, 'pictures');
  mkdirSync(pictures);
  // VLC refuses to run as root.
  if (process.getuid?.() === 0) for (const folder of [home, pictures]) chownSync(folder, 65_534, 65_534);
  const relay = isRtsp(url) ? await relayForVlc(url) : undefined;
  try {
    const output = ['--intf', 'dummy', '--vout', 'dummy', '--no-interact', '--no-video-title-show'];
    const soundFile = join(home, 'sound.wav');
    const sound = ['--aout=afile', `--audiofile-file=${soundFile}`, '--no-volume-save'];
    const scene = ['--video-filter=scene', `--scene-path=${pictures}`, `--scene-ratio=${every}`, '--scene-format=jpg'];
    const input = [
      ...(relay ? ['--demux=avformat', '--avformat-format=rtsp'] : []),
      `--run-time=${seconds}`,
      '--play-and-exit',
    ];
    const env = { HOME: home, XDG_RUNTIME_DIR: home, DISPLAY: undefined };
    const args = [...output, ...sound, ...scene, ...input, relay?.url ?? url, 'vlc://quit'];
    await run('cvlc', args, { env, unprivileged: true, timeoutMs: (seconds + 30) * 1000 });
    const heard = existsSync(soundFile) ? readFileSync(soundFile) : Buffer.alloc(0);
    return { pictures: readdirSync(pictures).length, sound: heard };
  } finally {
    await relay?.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const isRtsp = (url: string): boolean => url.startsWith('rtsp');

function inputOptions(url: string, transport: RtspTransport): string[] {
  if (isRtsp(url)) return ['-rtsp_transport', transport];
  // A transport stream does not say what is in it: ffmpeg would look at five seconds of it.
  return url.startsWith('http') ? ['-analyzeduration', '500000'] : [];
}
