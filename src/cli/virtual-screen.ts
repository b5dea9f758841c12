import { type ChildProcess, spawn } from 'node:child_process';
import { once as onceEvent } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CapError, type Closable, once } from '../core/index.js';

/** A virtual X display with a terminal on it that shows changing text. */
export interface VirtualScreen extends Closable, AsyncDisposable {
  readonly display: string;
}

const STOP_TIMEOUT_MS = 500;
/** Exit status of setpriv, as of shells, when there is no such program. */
const NOT_FOUND = 127;

/**
 * Starts Xvfb on a free display, and xterm on that. Both end with `close`.
 * @throws CAP_DEPENDENCY_MISSING
 */
export async function startVirtualScreen(width: number, height: number): Promise<VirtualScreen> {
  const server = startServer(width, height);
  const children: ChildProcess[] = [server];
  const close = once(async () => {
    for (const child of children.reverse()) await end(child);
  });
  try {
    const display = `:${await readDisplayNumber(server)}`;
    children.push(await startTerminal(display, width));
    return { display, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The kernel ends Xvfb when this process goes, even by SIGKILL, and with Xvfb goes whatever it shows. Both lead
 * sessions of their own: Ctrl-C in the terminal is for this process, which then ends them in order.
 */
function startServer(width: number, height: number): ChildProcess {
  const screen = ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset'];
  return spawn('setpriv', ['--pdeathsig', 'TERM', 'Xvfb', ...screen], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  });
}

async function startTerminal(display: string, width: number): Promise<ChildProcess> {
  const page = fileURLToPath(new URL('./demo-page.js', import.meta.url));
  const terminal = spawn(
    'xterm',
    [
      '-fa',
      'DejaVu Sans Mono',
      '-fs',
      '18',
      '-bg',
      '#10141a',
      '-fg',
      '#e6e6e6',
      '-geometry',
      `${Math.floor(width / 16)}x22+0+0`,
    ].concat(['-b', '16', '+sb', '-T', 'cap demo', '-e', process.execPath, page]),
    { stdio: 'ignore', env: { ...process.env, DISPLAY: display }, detached: true },
  );
  try {
    await onceEvent(terminal, 'spawn');
  } catch (cause) {
    throw notInstalled('xterm', cause);
  }
  return terminal;
}

/** What Xvfb writes to its file descriptor 3 once it is ready: the number of the display it took. */
async function readDisplayNumber(server: ChildProcess): Promise<string> {
  const died = onceEvent(server, 'exit').then(
    ([status]) => {
      if (status === NOT_FOUND) throw notInstalled('Xvfb');
      throw new CapError('CAP_DISPLAY_UNAVAILABLE', 'Xvfb does not start');
    },
    (cause) => {
      throw notInstalled('setpriv', cause);
    },
  );
  const [chunk] = await Promise.race([onceEvent(server.stdio[3] as NodeJS.EventEmitter, 'data'), died]);
  return String(chunk).trim();
}

function notInstalled(name: string, cause?: unknown): CapError {
  return new CapError('CAP_DEPENDENCY_MISSING', `${name} is not installed`, { hint: 'run `npm run setup`', cause });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = onceEvent(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
