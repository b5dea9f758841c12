import { EventEmitter, once } from 'node:events';
import type { CapError, Size } from '../../src/core/index.js';
import {
  type DamageFrom,
  type ElementProperties,
  type NativePicture,
  native,
  Pipeline,
} from '../../src/native/index.js';
import { type ScalePlan, toNativePlan } from '../../src/producer/index.js';

/** Raw frames of an X display, as they would go to the encoder. */
export interface RawCapture extends AsyncDisposable {
  /** The newest frame; waits for the first. */
  newest(): Promise<NativePicture>;
  /** The newest frame once `matches` holds for it; the last one looked at when it does not in time. */
  until(matches: (picture: NativePicture) => boolean, timeoutMs?: number): Promise<NativePicture>;
}

export interface RawCaptureOptions {
  readonly display: string;
  readonly plan: ScalePlan;
  readonly source: { readonly width: number; readonly height: number };
  readonly cursor?: boolean;
  readonly element?: 'capx11src' | 'ximagesrc';
  readonly damage?: DamageFrom;
  readonly filter?: string;
  readonly onBuilt?: (pipeline: Pipeline) => void;
}

/** Raw frames of any source. */
export interface RawFramesOptions {
  /** GStreamer launch syntax up to raw video. */
  readonly launch: string;
  readonly properties: ElementProperties;
  /** Size when it begins. */
  readonly source: Size;
  /** How it is scaled until it changes its size. @default not at all, odd edges included */
  readonly plan?: ScalePlan;
  /** Who says what changed. @default only the source */
  readonly damage?: DamageFrom;
  /** GStreamer launch syntax of what stands before the scaler. */
  readonly filter?: string;
  /** Called with the pipeline before it plays. */
  readonly onBuilt?: (pipeline: Pipeline) => void;
  /** What ends the pipeline before it is closed. */
  readonly onFailed?: (error: CapError) => void;
}

export async function startRawCapture(options: RawCaptureOptions): Promise<RawCapture> {
  const { display, plan, source, cursor = false, element = 'capx11src', damage, filter, onBuilt } = options;
  return startRawFrames({
    launch: `${element} name=source ! video/x-raw,framerate=120/1`,
    properties: { source: { 'display-name': display, 'show-pointer': String(cursor) } },
    plan,
    source,
    ...(damage && { damage }),
    ...(filter && { filter }),
    ...(onBuilt && { onBuilt }),
  });
}

export async function startRawFrames(options: RawFramesOptions): Promise<RawCapture> {
  const { launch, properties, source, plan = unscaled(source), damage, filter, onBuilt, onFailed } = options;
  const pipeline = new Pipeline(
    `${launch} ! identity name=captured silent=true ${filter ? `! ${filter} ` : ''}! capcompose name=compose ! identity name=raw ` +
      '! appsink name=frames sync=false async=false max-buffers=1 drop=true',
    properties,
  );
  pipeline.stampFrames('captured', damage);
  const follow = (size: Size, next: ScalePlan): void =>
    native((addon) => addon.setComposePlan(pipeline.native, 'compose', toNativePlan(next, size)));
  let current = source;
  follow(source, plan);
  pipeline.on('sourceSize', (size) => {
    if (size.width === current.width && size.height === current.height) return;
    current = size;
    follow(size, unscaled(size));
  });
  onBuilt?.(pipeline);
  if (onFailed) pipeline.on('failed', onFailed);
  const frames = new EventEmitter();
  frames.setMaxListeners(0);
  const sink = native((addon) => new addon.FrameSink(pipeline.native, 'frames', 'raw', () => frames.emit('frame')));
  await pipeline.play();
  const next = (): Promise<unknown> => once(frames, 'frame');
  const newest = async (): Promise<NativePicture> => {
    for (;;) {
      const arrived = next();
      const picture = await sink.pull();
      if (picture) return picture;
      await arrived;
    }
  };
  return {
    newest,
    async until(matches, timeoutMs = 5000) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const arrived = next();
        const picture = await newest();
        if (matches(picture) || performance.now() > deadline) return picture;
        await arrived;
      }
    },
    async [Symbol.asyncDispose]() {
      sink.close();
      await pipeline.close();
    },
  };
}

function unscaled(size: Size): ScalePlan {
  const whole = { x: 0, y: 0, width: size.width, height: size.height };
  return { name: 'unscaled', canvas: size, views: [{ source: whole, target: whole, method: 'area' }] };
}
