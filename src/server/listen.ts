import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CapError } from '../core/index.js';

export interface ListenOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** For an error: what is served. */
  readonly what: string;
  /** For an error: the option that names the port. */
  readonly option: string;
}

/** Resolves to the port. @throws CAP_PORT_UNAVAILABLE */
export function listen(server: Server, options: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(options, cause)));
    server.listen(options.port, options.host, () => resolve((server.address() as AddressInfo).port));
  });
}

function listenError({ host, port, what, option }: ListenOptions, cause: NodeJS.ErrnoException): CapError {
  const inUse = cause.code === 'EADDRINUSE';
  return new CapError(
    'CAP_PORT_UNAVAILABLE',
    `cannot serve ${what} on ${host}:${port}: ${inUse ? 'the port is already in use' : cause.message}`,
    {
      hint: inUse
        ? `choose another with ${option}, or 0 for a free one`
        : 'ports under 1024 need privileges, and the address must be one of this machine',
      cause,
    },
  );
}
