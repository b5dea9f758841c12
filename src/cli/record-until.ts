import type { CapError, Logger } from '../core/index.js';
import type { Mp4Recorder } from '../session/index.js';
import { errorText } from './error-text.js';
import { RecordingProgress } from './recording-progress.js';

export interface RecordUntilOptions {
  readonly recorder: Mp4Recorder;
  readonly ended: Promise<void>;
  /** Whether the stream also goes elsewhere: it then goes on without the recording. */
  readonly serves: boolean;
  readonly logger: Logger;
}

/** Records until `ended`, and finishes the file. @throws CAP_OUTPUT_FAILED at the end, also when it failed before. */
export async function recordUntil({ recorder, ended, serves, logger }: RecordUntilOptions): Promise<void> {
  const progress = new RecordingProgress(recorder);
  try {
    const failure = await Promise.race([ended.then(() => undefined), failed(recorder)]);
    if (failure) {
      progress.close();
      if (serves) {
        logger.warn(`${errorText(failure)}; the stream goes on without it`);
        await ended;
      }
      throw failure;
    }
    await recorder.close();
    progress.end();
  } finally {
    progress.close();
  }
}

function failed(recorder: Mp4Recorder): Promise<CapError> {
  return new Promise((resolve) => {
    recorder.on('failed', resolve);
  });
}
