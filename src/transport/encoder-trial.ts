import { CapError, type Size, toCapError } from '../core/index.js';
import { native, Pipeline } from '../native/index.js';
import type { EncoderFragment } from './encoder.js';
import { SharedStream } from './shared-stream.js';

/** Within what most hardware encoders take. */
const TRIAL_SIZE: Size = { width: 640, height: 360 };
const TRIAL_FRAMES = 5;
const TRIAL_TIMEOUT_MS = 4000;

/** Whether GStreamer can make that element; one that it can make may still find no device. */
export function hasEncoderElement(element: string): boolean {
  return native((addon) => addon.hasElement(element));
}

/** Encodes a few frames. Undefined when an H.264 stream comes of it in time, else the reason, in words. */
export async function tryEncoder(encoder: EncoderFragment): Promise<string | undefined> {
  const { width, height } = TRIAL_SIZE;
  let pipeline: Pipeline | undefined;
  try {
    pipeline = new Pipeline(
      `videotestsrc num-buffers=${TRIAL_FRAMES} ! video/x-raw,format=I420,width=${width},height=${height},framerate=30/1 ` +
        `! ${encoder.launch} ! appsink name=units sync=false async=false`,
      encoder.properties,
    );
    const stream = new SharedStream(pipeline, 'units');
    await ended(pipeline);
    const { accessUnits, keyFrames } = stream.stats;
    await stream.close();
    return accessUnits === TRIAL_FRAMES && keyFrames > 0
      ? undefined
      : `${accessUnits} of ${TRIAL_FRAMES} frames came out of it`;
  } catch (error) {
    return toCapError(error).message;
  } finally {
    // A driver that hangs would hold up whoever waits for it.
    void pipeline?.close();
  }
}

function ended(pipeline: Pipeline): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = new CapError('CAP_PIPELINE_FAILED', `it took longer than ${TRIAL_TIMEOUT_MS / 1000} seconds`);
    const timer = setTimeout(() => reject(late), TRIAL_TIMEOUT_MS);
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(error);
    };
    pipeline.once('failed', fail);
    pipeline.once('ended', () => {
      clearTimeout(timer);
      resolve();
    });
    pipeline.play().catch(fail);
  });
}
