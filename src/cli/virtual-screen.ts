import { type ChildProcess, spawn } from 'node:child_process';
import { once as onceEvent } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CapError, type Closable, once } from '../core/index.js';

/** A virtual X display with a terminal on it that shows changing text. */
export interface VirtualScreen extends Closable, AsyncDisposable {
  readonly display: string;
}

const STOP_TIMEOUT_MS = 1000;

/**
 * Starts Xvfb on a free display, and xterm on that. Both end with `close`.
 * @throws CAP_DEPENDENCY_MISSING
 */
export async function startVirtualScreen(width: number, height: number): Promise<VirtualScreen> {
  const server = spawn(
    'Xvfb',
    ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
  );
  const children: ChildProcess[] = [server];
  const close = once(async () => {
    for (const child of children.reverse()) await end(child);
  });
  try {
    await started(server, 'Xvfb');
    const display = `:${await readLine(server)}`;
    children.push(await startTerminal(display, width));
    return { display, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
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
    { stdio: 'ignore', env: { ...process.env, DISPLAY: display } },
  );
  await started(terminal, 'xterm');
  return terminal;
}

async function started(child: ChildProcess, name: string): Promise<void> {
  try {
    await onceEvent(child, 'spawn');
  } catch (cause) {
    throw new CapError('CAP_DEPENDENCY_MISSING', `${name} is not installed`, { hint: 'run `npm run setup`', cause });
  }
}

/** What Xvfb writes to its file descriptor 3: the number of the display it took. */
async function readLine(server: ChildProcess): Promise<string> {
  const pipe = server.stdio[3];
  const died = onceEvent(server, 'exit').then(() => {
    throw new CapError('CAP_DISPLAY_UNAVAILABLE', 'Xvfb does not start');
  });
  const [chunk] = await Promise.race([onceEvent(pipe as NodeJS.EventEmitter, 'data'), died]);
  died.catch(() => {});
  return String(chunk).trim();
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = onceEvent(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
