import type { RtspServer } from '../session/index.js';
import type { ControlRoute } from './control-server.js';

/** A reader as `GET /readers` has it. */
export type ReaderRow = RtspServer['readers'][number];

/** What can be asked of whatever serves readers. */
export interface GatewayControl {
  /** Addresses of its mounts. */
  urls(): readonly string[];
  readers(): readonly ReaderRow[] | Promise<readonly ReaderRow[]>;
  kick(id: number): boolean | Promise<boolean>;
}

/** `GET /status`, `GET /readers`, `DELETE /readers/ID`. */
export function gatewayRoutes({ urls, readers, kick }: GatewayControl): ControlRoute[] {
  return [
    { method: 'GET', path: /^\/status$/, handle: () => ({ pid: process.pid, urls: urls() }) },
    { method: 'GET', path: /^\/readers$/, handle: readers },
    {
      method: 'DELETE',
      path: /^\/readers\/(\d{1,15})$/,
      handle: async ([, id]) => ((await kick(Number(id))) ? {} : undefined),
    },
  ];
}
