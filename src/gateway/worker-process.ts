import type { Logger, LogLevel } from '../core/index.js';
import type { GatewayCalls } from './worker-calls.js';
import { openChannel, type Remote } from './worker-channel.js';

/** A worker does not keep its gateway waiting: what has not closed by then goes with the process. */
const CLOSE_TIMEOUT_MS = 2000;

/**
 * The worker's end: offers `functions` to the gateway until the gateway is gone, however it went, then closes and
 * ends the process. Signals are the gateway's business: a service manager sends them to every process.
 */
export function serveGateway(functions: object, close: () => Promise<void>): Remote<GatewayCalls> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.once('disconnect', async () => {
    setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
    await close().catch(() => {});
    process.exit(0);
  });
  return openChannel<GatewayCalls>(process, functions);
}

/** Writes into the gateway's log. */
export function gatewayLogger(gateway: Remote<GatewayCalls>, bound: Record<string, unknown> = {}): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: Record<string, unknown>): void =>
      void gateway.log.asEvent(level, message, { ...bound, ...fields });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => gatewayLogger(gateway, { ...bound, ...fields }),
  };
}
