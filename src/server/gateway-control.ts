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
  /** What `cap status` shows beside them. */
  mounts?(): Promise<readonly MountRow[]>;
  /** Begins to end it, in good order. */
  stop(): void;
}

/** A mount as `GET /status` has it. */
export interface MountRow {
  readonly path: string;
  readonly state: string;
  readonly label?: string | undefined;
  readonly picture?: string | undefined;
  readonly error?: string | undefined;
  readonly deaths: number;
}

/** What `GET /status` answers. */
export interface GatewayReport {
  readonly pid: number;
  readonly urls: readonly string[];
  readonly mounts?: readonly MountRow[];
}

/** `GET /status`, `POST /stop`, `GET /readers`, `DELETE /readers/ID`. */
export function gatewayRoutes({ urls, readers, kick, mounts, stop }: GatewayControl): ControlRoute[] {
  const report = async (): Promise<GatewayReport> => {
    const rows = await mounts?.();
    return { pid: process.pid, urls: urls(), ...(rows ? { mounts: rows } : {}) };
  };
  return [
    { method: 'GET', path: /^\/status$/, handle: report },
    {
      method: 'POST',
      path: /^\/stop$/,
      handle: () => {
        stop();
        return {};
      },
    },
    { method: 'GET', path: /^\/readers$/, handle: readers },
    {
      method: 'DELETE',
      path: /^\/readers\/(\d{1,15})$/,
      handle: async ([, id]) => ((await kick(Number(id))) ? {} : undefined),
    },
  ];
}
