import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { FewerLines, type Logger, silentLogger } from '../core/index.js';
import { ha1Of, REALM, type RtspUser } from '../session/index.js';
import { LoginLimiter } from './login-limiter.js';

/** Why somebody does not get in. */
export interface LoginRefusal {
  readonly status: 401 | 429;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Who asks; undefined where everybody may. */
export interface LoggedIn {
  readonly user: RtspUser | undefined;
}

const MAX_LOGIN_CHARS = 1024;
/** A hash that no password has, for names that nobody has: they take as long. */
const NOBODY = ''.padEnd(32, '-');

/**
 * Basic logins, held against the hashes that RTSP's Digest logins take. Basic shows the password to whoever sees the
 * request, so it belongs inside TLS; but it needs no nonces, and browsers send it with each fetch and WebSocket of a
 * page.
 */
export class HttpLogin {
  readonly #users: ReadonlyMap<string, RtspUser>;
  readonly #limiter = new LoginLimiter();
  /** Connections that have logged in, and how: they go on while their address must wait. */
  readonly #known = new WeakMap<Socket, { readonly login: string; readonly user: RtspUser }>();
  readonly #key = randomBytes(32);
  readonly #refusals: FewerLines;
  #failed = 0;

  constructor(users: readonly RtspUser[] = [], logger: Logger = silentLogger) {
    this.#users = new Map(users.map((user) => [user.name, user]));
    this.#refusals = new FewerLines((line) => logger.warn(line));
  }

  /** Wrong logins, and tries while blocked. */
  get failed(): number {
    return this.#failed;
  }

  check({ headers: { authorization = '' }, socket }: IncomingMessage): LoggedIn | LoginRefusal {
    if (this.#users.size === 0) return { user: undefined };
    // With a key of this process: comparing it tells nothing of the password, and nothing of it is kept.
    const login = createHmac('sha256', this.#key).update(authorization).digest('base64');
    const known = this.#known.get(socket);
    if (known?.login === login) return known;
    const address = socket.remoteAddress ?? '';
    const waitSeconds = this.#limiter.waitSeconds(address);
    if (waitSeconds > 0) return this.#refuseForNow(address, waitSeconds);
    const user = this.#userOf(authorization);
    if (user) {
      this.#known.set(socket, { login, user });
      return { user };
    }
    if (authorization !== '' && this.#limiter.failed(address, login)) this.#count(`${address} failed to log in`);
    return {
      status: 401,
      text: 'a login is needed\n',
      headers: { 'WWW-Authenticate': `Basic realm="${REALM}", charset="UTF-8"` },
    };
  }

  /** Lets those pass who may, as the variable `user`. */
  middleware(): MiddlewareHandler {
    return async (context, next) => {
      const answer = this.check((context.env as HttpBindings).incoming);
      if ('status' in answer) {
        return context.text(answer.text, answer.status, { ...answer.headers, 'Cache-Control': 'no-store' });
      }
      context.set('user', answer.user);
      return next();
    };
  }

  #userOf(authorization: string): RtspUser | undefined {
    const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
    if (encoded === undefined || encoded.length > MAX_LOGIN_CHARS) return undefined;
    const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
    const user = this.#users.get(name);
    const right = timingSafeEqual(Buffer.from(ha1Of(name, password)), Buffer.from(user?.ha1 ?? NOBODY));
    return right ? user : undefined;
  }

  #refuseForNow(address: string, waitSeconds: number): LoginRefusal {
    this.#count(`${address} must wait after failed logins`);
    return { status: 429, text: 'too many failed logins\n', headers: { 'Retry-After': String(waitSeconds) } };
  }

  #count(line: string): void {
    this.#failed += 1;
    this.#refusals.say(`HTTP: ${line}`);
  }
}
