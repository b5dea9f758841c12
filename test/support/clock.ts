import { run } from './process.js';
import { program } from './programs.js';

export type RtspTransport = 'tcp' | 'udp';

/** Milliseconds. */
export interface Ages {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface ClockReading {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly frames: number;
  /** Frames without a valid clock strip. */
  readonly unreadable: number;
  readonly fps: number;
  /** From the start of the connection to the first decoded frame with a clock. */
  readonly firstFrameMs: number;
  /** From the drawing of the clock to the decoded frame, all frames. */
  readonly age: Ages;
  /** The same for the first frame of each new clock only: what counts on a still screen. */
  readonly changeAge: Ages | undefined;
}

export interface ClockStream {
  readonly url: string;
  /** Width of the screen on which `showClock` draws, whatever the stream is scaled to. */
  readonly sourceWidthPx: number;
  /** @default 'tcp' */
  readonly transport?: RtspTransport;
}

/** Plays the stream for some seconds with a GStreamer client and reads the clock from every decoded frame. */
export async function readClock(stream: ClockStream, seconds: number): Promise<ClockReading> {
  const out = JSON.parse(await runReader('play', stream, seconds, (seconds + 30) * 1000));
  return {
    widthPx: out.width,
    heightPx: out.height,
    frames: out.frames,
    unreadable: out.unreadable,
    fps: out.fps,
    firstFrameMs: out.first_frame_ms,
    age: out.age_ms,
    changeAge: out.change_age_ms ?? undefined,
  };
}

/** Connects several times, one after the other; milliseconds from each connection's start to its first picture. */
export async function readJoins(stream: ClockStream, times: number): Promise<number[]> {
  return JSON.parse(await runReader('join', stream, times, times * 21_000)).first_frame_ms;
}

async function runReader(command: string, stream: ClockStream, amount: number, timeoutMs: number): Promise<string> {
  const args = [command, stream.url, `${stream.sourceWidthPx}`, stream.transport ?? 'tcp', `${amount}`];
  return (await run(await program('clock_reader'), args, { timeoutMs })).stdout;
}
