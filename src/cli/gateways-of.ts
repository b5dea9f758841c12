import { CapError } from '../core/index.js';
import { type RunningGateway, runningGateways } from '../server/index.js';

/** The gateways that this user runs, or the one of that process id. @throws CAP_STREAM_UNAVAILABLE when there is none */
export async function gatewaysOf(pid: number | undefined): Promise<RunningGateway[]> {
  const all = await runningGateways();
  const gateways = pid === undefined ? all : all.filter((one) => one.pid === pid);
  if (gateways.length > 0) return gateways;
  throw new CapError('CAP_STREAM_UNAVAILABLE', pid === undefined ? 'no stream runs here' : `no stream runs as ${pid}`, {
    hint: all.length > 0 ? `there are ${all.map((one) => one.pid).join(', ')}` : 'cap --rtsp starts one',
  });
}
