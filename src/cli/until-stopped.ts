import type { CaptureSession } from '../session/index.js';

/** Resolves after `afterMs` or when the command is told to stop; rejects when capture fails. */
export function untilStopped(session: CaptureSession, stop: AbortSignal, afterMs: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = afterMs === undefined ? undefined : setTimeout(resolve, afterMs);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (stop.aborted) finish();
    stop.addEventListener('abort', finish, { once: true });
    session.on('failed', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
