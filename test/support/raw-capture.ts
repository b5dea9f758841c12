import { EventEmitter, once } from 'node:events';
import { type NativePicture, native, Pipeline } from '../../src/native/index.js';
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
}

export async function startRawCapture(options: RawCaptureOptions): Promise<RawCapture> {
  const { display, plan, source, cursor = false, element = 'capx11src' } = options;
  const pipeline = new Pipeline(
    `${element} name=source ! video/x-raw,framerate=120/1 ! capcompose name=compose ! identity name=raw ` +
      '! appsink name=frames sync=false async=false max-buffers=1 drop=true',
    { source: { 'display-name': display, 'show-pointer': String(cursor) } },
  );
  native((addon) => addon.setComposePlan(pipeline.native, 'compose', toNativePlan(plan, source)));
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
