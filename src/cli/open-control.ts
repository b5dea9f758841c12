import { type Logger, toCapError } from '../core/index.js';
import { type ControlServer, type GatewayControl, gatewayRoutes, startControlServer } from '../server/index.js';
import type { RtspServer } from '../session/index.js';

/** Lets `cap readers` ask this process. The stream goes on where that cannot be had. */
export async function openControl(control: GatewayControl, logger: Logger): Promise<ControlServer | undefined> {
  try {
    return await startControlServer(gatewayRoutes(control));
  } catch (error) {
    logger.warn(`cap readers will not find this stream: ${toCapError(error).message}`);
    return undefined;
  }
}

/** A server of this process, for `openControl`. */
export const controlOf = (server: RtspServer, paths: () => readonly string[]): GatewayControl => ({
  urls: () => paths().flatMap((path) => server.urls(path)),
  readers: () => server.readers,
  kick: (id) => server.kick(id),
  stop: stopThisProcess,
});

/** The way every command ends: by the signal that its launcher listens for. */
export const stopThisProcess = (): void => void process.kill(process.pid, 'SIGTERM');
