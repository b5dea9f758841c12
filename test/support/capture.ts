import type { Size } from '../../src/core/index.js';
import { CaptureSession, type CaptureSessionOptions } from '../../src/session/index.js';
import type { RtspServer, RtspServerOptions } from '../../src/transport/index.js';

export interface ServedCapture extends AsyncDisposable {
  readonly session: CaptureSession;
  readonly server: RtspServer;
  readonly url: string;
}

export interface ServedCaptureOptions extends CaptureSessionOptions {
  readonly rtsp?: RtspServerOptions;
}

/** A small test picture: what it shows does not matter. */
export const testPicture = (size: Size = { width: 320, height: 240 }) => ({ kind: 'test', size }) as const;

/** Captures the test picture, unless told otherwise, and serves it on a free port. */
export async function serveCapture({ rtsp, ...options }: ServedCaptureOptions = {}): Promise<ServedCapture> {
  const session = await CaptureSession.open({ source: testPicture(), ...options });
  const close = () => session.close();
  try {
    const server = await session.serveRtsp('/cap', { port: 0, ...rtsp });
    return { session, server, url: server.url('/cap'), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
