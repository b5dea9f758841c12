import { Command } from 'commander';
import { CaptureSession } from '../session/index.js';
import { duration, integer } from './parse-options.js';
import { run } from './run.js';
import { untilStopped } from './until-stopped.js';

interface Flags {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly rtspPort?: number;
  readonly scalePreset?: string;
  readonly duration?: number;
}

/** Runs `rtsp-demo`: a synthetic stream, to try clients with no screen at all. */
export function main(args: readonly string[], stop: AbortSignal): Promise<number> {
  const program = new Command('rtsp-demo')
    .description('Serve a synthetic moving picture with a clock at rtsp://127.0.0.1:PORT/cap')
    .option('--width <px>', 'width of the picture', integer('--width', 64, 8192), 1280)
    .option('--height <px>', 'height of the picture', integer('--height', 64, 8192), 720)
    .option('--fps <n>', 'frames a second', integer('--fps', 1, 120), 30)
    .option('--rtsp-port <port>', '0 for a free one (default: 8554)', integer('--rtsp-port', 0, 65535))
    .option('--scale-preset <name|file>', 'scale to a preset: see `cap presets`')
    .option('-d, --duration <time>', 'stop after 30s, 2m, 1h', duration('--duration', 100))
    .action((flags: Flags) => demo(flags, stop));
  return run(program, args);
}

async function demo({ width, height, fps, rtspPort, scalePreset, duration }: Flags, stop: AbortSignal): Promise<void> {
  await using session = await CaptureSession.open({
    source: { kind: 'test', size: { width, height } },
    scaling: { preset: scalePreset },
    fps,
  });
  const ended = untilStopped(session, stop, duration);
  if (stop.aborted) return;
  const server = await session.serveRtsp('/cap', { port: rtspPort });
  process.stdout.write(`${server.url('/cap')}\n`);
  await ended;
}
