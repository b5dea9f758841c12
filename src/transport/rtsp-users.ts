import { createHash } from 'node:crypto';
import { CapError, registerSecret, unexpected } from '../core/index.js';

/** Somebody who may read, as an htdigest file knows them: the password itself is nowhere. */
export interface RtspUser {
  readonly name: string;
  /** MD5 of `name:cap:password` in hexadecimal: what Digest calls HA1. */
  readonly ha1: string;
  /** Mounts that may be read, each with what lies below it. @default everything */
  readonly paths: readonly string[];
}

/** The realm of every login; a hash is good for no other. */
export const REALM = 'cap';

const NAME = /^[A-Za-z0-9._@-]{1,64}$/;
const PATH = /^(\/[A-Za-z0-9._-]{1,64}){1,8}$/;
const MAX_PASSWORD = 256;
const MAX_USERS = 1000;

/** A user by name and password, of which only the hash is kept. @throws CAP_USAGE */
export function rtspUser(name: string, password: string, paths: readonly string[] = []): RtspUser {
  expectName(name);
  registerSecret(password);
  if (password.length < 1 || password.length > MAX_PASSWORD || /\p{Cc}/u.test(password)) {
    throw new CapError('CAP_USAGE', `expected a password of 1 to ${MAX_PASSWORD} characters for ${name}`);
  }
  paths.forEach(expectPath);
  return { name, ha1: ha1Of(name, password), paths };
}

/** What an htdigest file keeps of a password. */
export function ha1Of(name: string, password: string): string {
  return createHash('md5').update(`${name}:${REALM}:${password}`).digest('hex');
}

/** Whether a user may read the mount at `path`. */
export function mayRead({ paths }: RtspUser, path: string): boolean {
  return paths.length === 0 || paths.some((allowed) => path === allowed || path.startsWith(`${allowed}/`));
}

/** The user that `user:password` names. Errors never quote it. @throws CAP_USAGE */
export function parseLogin(what: string, text: string): RtspUser {
  const colon = text.indexOf(':');
  if (colon < 1) throw new CapError('CAP_USAGE', `expected user:password for ${what}`);
  return rtspUser(text.slice(0, colon), text.slice(colon + 1));
}

/** A line of a user file: what `htdigest` writes, and the mounts where not all may be read. */
export function formatUser({ name, ha1, paths }: RtspUser): string {
  return [name, REALM, ha1, ...(paths.length > 0 ? [paths.join(',')] : [])].join(':');
}

/** The users of a file's text; `path` is for errors. @throws CAP_USAGE */
export function parseUsers(text: string, path: string): RtspUser[] {
  const users = new Map<string, RtspUser>();
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const user = parseLine(line.trim(), `line ${index + 1} of ${path}`);
    if (users.has(user.name)) throw new CapError('CAP_USAGE', `${user.name} stands twice in ${path}`);
    users.set(user.name, user);
  }
  if (users.size > MAX_USERS) throw new CapError('CAP_USAGE', `${path} has more than ${MAX_USERS} users`);
  return [...users.values()];
}

function parseLine(line: string, where: string): RtspUser {
  const [name = '', realm, ha1 = '', paths = '', ...more] = line.split(':');
  // The line itself holds a secret: it is not shown.
  const wrong = (expected: string) => new CapError('CAP_USAGE', `expected ${expected} in ${where}`);
  if (more.length > 0 || !/^[0-9a-f]{32}$/i.test(ha1)) throw wrong('name:cap:HASH[:/path,/path]');
  if (realm !== REALM) throw wrong(`the realm "${REALM}"`);
  const allowed = paths === '' ? [] : paths.split(',');
  if (!NAME.test(name)) throw wrong('a name of letters, digits and . _ @ -');
  if (!allowed.every((path) => PATH.test(path))) throw wrong('paths such as /cap/1');
  return { name, ha1: ha1.toLowerCase(), paths: allowed };
}

function expectName(name: string): void {
  if (!NAME.test(name)) throw unexpected('the user', '1 to 64 letters, digits and . _ @ -', name);
}

function expectPath(path: string): void {
  if (!PATH.test(path)) throw unexpected('the RTSP path', 'a path such as /cap', path);
}
