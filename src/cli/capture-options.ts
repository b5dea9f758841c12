import { type Command, Option } from 'commander';
import { CapError, type Rect, type Size } from '../core/index.js';
import {
  type CaptureSessionOptions,
  DISPLAY_SERVERS,
  ENCODER_NAMES,
  type EncoderName,
  type EncoderOptions,
  parseSource,
  QUALITY_CRF,
  QUALITY_LEVELS,
  type Quality,
  SCREEN_SERVERS,
  type ScalingOptions,
  type ScreenServer,
  SHARED_KINDS,
  type SharedKind,
  SOURCE_FORMS,
  type SourceOptions,
  SPEED_PRESETS,
  type SpeedPreset,
  type StreamQuality,
} from '../session/index.js';
import { duration, integer, oneOf, region, size } from './parse-options.js';
import { addRedactOptions, type RedactFlags } from './redact-options.js';

/** The options that say what is captured, how it is scaled and how it is encoded. */
export interface CaptureFlags extends RedactFlags {
  readonly source?: SourceOptions;
  readonly displayServer?: ScreenServer;
  readonly display?: string;
  readonly monitor?: string;
  readonly region?: Rect;
  /** `true`: the user is to pick one. */
  readonly window?: string | true;
  readonly share?: SharedKind;
  readonly cursor: boolean;
  readonly keepAlive?: number;
  readonly sourceFingerprint?: string;
  readonly size?: Size;
  readonly scalePreset?: string;
  readonly gundam?: true;
  readonly maxCrops?: 6 | 9;
  readonly maxLongSide?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly quality?: StreamQuality | Quality;
  readonly encoder?: EncoderName;
  readonly hwencode: boolean;
  readonly speed?: SpeedPreset;
  readonly gop?: number;
  readonly maxBitrate?: number;
  readonly alwaysOn?: true;
  readonly linger?: number;
}

const STREAM_QUALITIES = Object.keys(QUALITY_LEVELS) as StreamQuality[];

export const DISPLAY_OPTION = [
  '--display <name>',
  'X display or Wayland socket (default: $DISPLAY or $WAYLAND_DISPLAY)',
] as const;

export const displayServerOption = (names: readonly ScreenServer[] = DISPLAY_SERVERS): Option =>
  new Option(
    '--display-server <name>',
    `what the screen belongs to: ${names.join(', ').replace('portal', 'or portal: the desktop asks')} (default: the session's)`,
  ).argParser(oneOf('--display-server', names));

export function addCaptureOptions(command: Command): Command {
  const add = (flags: string, text: string, parse: (value: string) => unknown, fallback?: unknown): void => {
    const option = new Option(flags, text).argParser(parse);
    command.addOption(fallback === undefined ? option : option.default(fallback));
  };
  add('--source <what>', `what to capture (default: screen): ${SOURCE_FORMS.join(', ')}`, parseSource);
  command.addOption(displayServerOption(SCREEN_SERVERS)).option(...DISPLAY_OPTION);
  command.option('--monitor <n|name|all>', 'one monitor, counted from 1, or each at /cap/1, /cap/2 …');
  add('--region <WxH+X+Y>', 'a rectangle of the screen', region('--region'));
  command.option('--window [id|title|class]', 'one window; without a value: click it, or pick it from a list');
  add('--share <kind>', `what the desktop's dialog offers: ${SHARED_KINDS.join(', ')}`, oneOf('--share', SHARED_KINDS));
  command.option('--no-cursor', 'leave the mouse cursor out');
  add(
    '--keep-alive <time>',
    'longest time between frames of a still screen (default: 1s)',
    duration('--keep-alive', 10),
  );
  addRedactOptions(command);
  command.option('--source-fingerprint <sha256:…>', 'of an rtsps:// source, take this certificate and no other');
  add('--size <WxH>', 'size of the test source (default: 1280x720)', size('--size'));
  command.option('--scale-preset <name|file>', 'scale to a preset: see `cap presets`');
  command.option('--gundam', "compose DeepSeek-OCR's Gundam views into each frame");
  add('--max-crops <n>', 'with --gundam, most tiles: 9 or 6', (text) => Number(oneOf('--max-crops', ['9', '6'])(text)));
  add('--max-long-side <px>', 'bound the longer side of the picture', integer('--max-long-side', 16, 16384));
  add('--height <px>', 'bound the height of the picture', integer('--height', 16, 16384));
  add('-f, --fps <n>', 'most frames a second (default: 30)', integer('--fps', 1, 120));
  const qualities = [...STREAM_QUALITIES, 'ultra'] as const;
  const levels =
    'of a stream, at most: source (native height, 6000 kbit/s, 30 fps), high (1080, 4000, 30), medium (720, 2500, 30), ' +
    'low (480, 1000, 30), auto (source, adapted to what readers report), ultra (CRF 18, no bound); ' +
    'of a file alone: low, medium, high, ultra (CRF 28, 23, 20, 18)';
  add('-q, --quality <level>', levels, oneOf('--quality', qualities));
  add(
    '--encoder <name>',
    `what encodes (default: auto): ${ENCODER_NAMES.join(', ')}`,
    oneOf('--encoder', ENCODER_NAMES),
  );
  command.option('--no-hwencode', 'let auto choose no hardware encoder');
  add('--speed <preset>', `x264 speed: ${SPEED_PRESETS.join(', ')}`, oneOf('--speed', SPEED_PRESETS));
  add('--gop <seconds>', 'seconds between key frames (default: 10)', integer('--gop', 1, 600));
  add('--max-bitrate <kbps>', 'bound the bitrate (default: 50000)', integer('--max-bitrate', 100, 200_000));
  command.option('--always-on', 'capture also while nobody watches');
  add('--linger <time>', 'how long capture goes on when the last one has gone (default: 5s)', duration('--linger'));
  return command;
}

/**
 * @param window the one that was named or picked
 * @throws CAP_USAGE for an option that the source has no use for
 */
export function toSource(flags: CaptureFlags, window: string | undefined): SourceOptions {
  const { source = { kind: 'screen' }, displayServer, display, monitor, region, share, cursor, size } = flags;
  const { keepAlive, sourceFingerprint } = flags;
  if (size && source.kind !== 'test') {
    throw new CapError('CAP_USAGE', '--size is for --source test', { hint: 'scale with --scale-preset' });
  }
  const isSecure = source.kind === 'rtsp' && source.url.startsWith('rtsps:');
  if (sourceFingerprint !== undefined && !isSecure) {
    throw new CapError('CAP_USAGE', '--source-fingerprint is for --source rtsps://…', { hint: 'leave it out' });
  }
  if (source.kind === 'screen') {
    return { kind: 'screen', displayServer, display, monitor, region, window, share, cursor, keepAliveMs: keepAlive };
  }
  const idle = Object.entries({
    'display-server': displayServer,
    display,
    monitor,
    region,
    window,
    share,
    'keep-alive': keepAlive,
  }).find(([, value]) => value !== undefined);
  if (idle) throw new CapError('CAP_USAGE', `--${idle[0]} is for --source screen`, { hint: 'leave it out' });
  if (source.kind === 'rtsp') return { ...source, tls: { fingerprint: sourceFingerprint } };
  return source.kind === 'test' ? { ...source, size } : source;
}

/** When it is captured: while somebody watches, unless told otherwise. */
export function toDemand({ alwaysOn, linger }: CaptureFlags): Pick<CaptureSessionOptions, 'onDemand' | 'lingerMs'> {
  if (alwaysOn && linger !== undefined) {
    throw new CapError('CAP_USAGE', '--always-on and --linger exclude each other', { hint: 'choose one' });
  }
  return { onDemand: !alwaysOn, lingerMs: linger };
}

export function toScaling({ scalePreset, gundam, maxCrops, maxLongSide, height }: CaptureFlags): ScalingOptions {
  if (gundam && scalePreset !== undefined)
    throw new CapError('CAP_USAGE', '--gundam and --scale-preset exclude each other', { hint: 'choose one' });
  const bound = maxLongSide !== undefined ? '--max-long-side' : height !== undefined ? '--height' : undefined;
  if (gundam && bound) {
    throw new CapError('CAP_USAGE', `${bound} cannot be used with --gundam`, { hint: 'its sizes are fixed' });
  }
  if (!gundam && maxCrops !== undefined)
    throw new CapError('CAP_USAGE', '--max-crops is for --gundam', { hint: 'add --gundam' });
  return { preset: scalePreset, gundam, maxCrops, maxLongSidePx: maxLongSide, maxHeightPx: height };
}

/** @param recordOnly nobody watches live, so the file may be smaller at more work per frame */
export function toEncoder(flags: CaptureFlags, recordOnly: boolean): EncoderOptions {
  const { source, encoder, hwencode, quality, speed, gop, maxBitrate } = flags;
  // What is preferred but was not asked for must not keep an RTSP stream from being passed on.
  const crf = rateFactorOf(quality, recordOnly);
  const asked = [encoder, crf, speed, gop, maxBitrate].some((value) => value !== undefined);
  if (source?.kind === 'rtsp' && !asked) return {};
  return {
    encoder,
    hardware: hwencode,
    crf,
    rateControl: recordOnly ? 'crf' : 'quantizer',
    speed: speed ?? (recordOnly ? 'veryfast' : undefined),
    gopSeconds: gop,
    maxBitrateKbps: maxBitrate,
  };
}

/** The quality of a stream; `ultra` and that of a file alone are rate factors, the encoder's business. */
export function toQuality({ quality }: CaptureFlags, recordOnly: boolean): StreamQuality | undefined {
  return recordOnly || quality === 'ultra' ? undefined : quality;
}

/** @throws CAP_USAGE */
function rateFactorOf(quality: StreamQuality | Quality | undefined, recordOnly: boolean): number | undefined {
  if (quality === undefined || !(recordOnly || quality === 'ultra')) return undefined;
  if (quality === 'source' || quality === 'auto') {
    throw new CapError('CAP_USAGE', `--quality ${quality} is for a stream`, {
      hint: `of a file alone it is one of ${Object.keys(QUALITY_CRF).join(', ')}`,
    });
  }
  return QUALITY_CRF[quality];
}
