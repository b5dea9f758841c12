import { expectInteger, type Logger } from '../core/index.js';
import { Capture, openSource, type ScalingOptions, type SourceOptions } from '../producer/index.js';
import { chooseEncoder, type EncoderOptions } from '../transport/index.js';
import type { AudioOptions } from './session-audio.js';

/** What is captured, how it is scaled and how it is encoded. */
export interface CaptureSessionOptions {
  /** What to capture; `parseSource` reads a URL. @default { kind: 'screen' } */
  readonly source?: SourceOptions | undefined;
  /**
   * How it is scaled. @default full size
   *
   * The H.264 of an RTSP source is passed on as it is when neither this nor `encoder` nor `fps` asks for anything.
   */
  readonly scaling?: ScalingOptions | undefined;
  readonly encoder?: EncoderOptions | undefined;
  /** Which sound goes with it. @default none */
  readonly audio?: AudioOptions | undefined;
  /** Frames a second, 1 to 120. @default 30 */
  readonly fps?: number | undefined;
  /**
   * Nothing is captured or encoded while nobody watches: no reader plays, nothing is recorded. @default false
   */
  readonly onDemand?: boolean | undefined;
  /** With `onDemand`, how long capture goes on after the last one has gone, 0 to 3600000. @default 5000 */
  readonly lingerMs?: number | undefined;
  readonly logger?: Logger | undefined;
  /** Ends the opening of a source that waits for its user. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the source and builds its capture with the encoder that suits it; nothing runs yet.
 * @throws as CaptureSession.open does
 */
export async function openCapture(options: CaptureSessionOptions, logger: Logger): Promise<Capture> {
  const { encoder = {}, scaling = {} } = options;
  const fps = expectInteger('fps', options.fps ?? 30, 1, 120);
  const asItIs = options.fps === undefined && !asksFor(scaling) && !asksFor(encoder);
  const source = await openSource(options.source ?? { kind: 'screen' }, {
    fps,
    asItIs,
    logger,
    signal: options.signal,
  });
  try {
    const { coded = false, tellsDamage = false } = source;
    const fragment = coded ? undefined : await chooseEncoder(encoder, { fps, tellsDamage, logger });
    return new Capture({ source, scaling, encoder: fragment, fps, logger });
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/** Whether any option is given. */
const asksFor = (options: object): boolean =>
  Object.values(options).some((value) => value !== undefined && value !== false);
