import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CapError, type Closable, once, toCapError } from '../core/index.js';

/** Something that another process of the same user may ask of this one. */
export interface ControlRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Matches the whole path. */
  readonly path: RegExp;
  /** What it gives is sent as JSON; undefined is answered with 404. */
  handle(match: RegExpExecArray): unknown;
}

/** Answers until it is closed. */
export interface ControlServer extends Closable, AsyncDisposable {
  readonly socketPath: string;
}

/** Sockets of running gateways: `$XDG_RUNTIME_DIR/cap`, or a folder of the user's own among the temporary files. */
export function controlFolder({ XDG_RUNTIME_DIR }: NodeJS.ProcessEnv = process.env): string {
  const given = XDG_RUNTIME_DIR && isAbsolute(XDG_RUNTIME_DIR);
  return given ? join(XDG_RUNTIME_DIR, 'cap') : join(tmpdir(), `cap-${process.getuid?.() ?? 0}`);
}

/**
 * Answers the routes by HTTP on the Unix socket `PID.sock`, which only this user can open.
 * @throws CAP_OUTPUT_FAILED when there is no place for it
 */
export async function startControlServer(
  routes: readonly ControlRoute[],
  folder = controlFolder(),
): Promise<ControlServer> {
  const socketPath = join(folder, `${process.pid}.sock`);
  const server = createServer((request, response) => void answer(routes, request, response));
  server.maxHeadersCount = 16;
  server.requestTimeout = 5000;
  try {
    claimFolder(folder);
    rmSync(socketPath, { force: true }); // of a process that had this id before
    await listen(server, socketPath);
    chmodSync(socketPath, 0o600);
  } catch (cause) {
    throw new CapError('CAP_OUTPUT_FAILED', `there is no control socket in ${folder}: ${toCapError(cause).message}`, {
      hint: 'XDG_RUNTIME_DIR names the folder that it is in',
      cause,
    });
  }
  server.unref();
  const close = once(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve)); // removes the socket
  });
  return { socketPath, close, [Symbol.asyncDispose]: close };
}

/** Whoever owns the folder could put another socket in the place of ours. */
function claimFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== process.getuid?.()) throw new CapError('CAP_OUTPUT_FAILED', 'the folder belongs to somebody else');
  if ((mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

async function answer(routes: readonly ControlRoute[], request: IncomingMessage, response: ServerResponse) {
  const path = request.url ?? '';
  const fitting = routes.map((route) => ({ route, match: route.path.exec(path) })).filter(({ match }) => match);
  const { route, match } = fitting.find((one) => one.route.method === request.method) ?? {};
  try {
    const result = route && match ? await route.handle(match) : undefined;
    if (result !== undefined) send(response, 200, result);
    else send(response, fitting.length > 0 && !route ? 405 : 404, { error: `there is no ${request.method} ${path}` });
  } catch (error) {
    const { code, message } = toCapError(error);
    send(response, 500, { error: message, code });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
