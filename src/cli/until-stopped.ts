import type { CaptureSession } from '../session/index.js';

/** Resolves after `afterMs` or when the command is told to stop; rejects when capture fails. */
export function untilStopped(session: CaptureSession, stop: AbortSignal, afterMs: number | undefined): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    // Capture keeps the process alive; a command that fails must not wait for what would have been its end.
    const timer = afterMs === undefined ? undefined : setTimeout(resolve, afterMs).unref();
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
  // Capture may fail before anybody waits for the end: while a port is opened, for one.
  ended.catch(() => {});
  return ended;
}
