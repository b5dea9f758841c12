import { type CapError, registerSecret, unexpected } from '../../core/index.js';

/** Where a queue is, as a Redis client is told. */
export interface QueueAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly isTls: boolean;
  /** For messages: without the password. */
  readonly label: string;
}

const DEFAULT_PORT = 6379;
const FORM = 'an address such as redis://host:6379/0 or rediss://host:6379/0';

/** @throws CAP_USAGE for what is no address of a Redis server */
export function parseQueueAddress(text: string, name = '--queue'): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.password) registerSecret(decoded(url.password, name));
  const db = /^\/?(\d{0,4})$/.exec(url?.pathname ?? 'none')?.[1];
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || db === undefined || url.search !== '') {
    throw wrongAddress(name);
  }
  const { username, password } = url;
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  return {
    // Sockets take addresses of IPv6 without the brackets of a URL.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    db: Number(db),
    ...(username === '' ? {} : { username: decoded(username, name) }),
    ...(password === '' ? {} : { password: decoded(password, name) }),
    isTls: url.protocol === 'rediss:',
    label: `${url.protocol}//${url.hostname}:${port}/${Number(db)}`,
  };
}

function decoded(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrongAddress(name);
  }
}

/** Without what was received: there may be a password in it. */
function wrongAddress(name: string): CapError {
  return unexpected(name, FORM, 'another form', 'a password stands in it encoded as in any URL');
}
