import { createInterface } from 'node:readline';
import { CapError, formatSize } from '../core/index.js';
import { listWindows, type WindowRow } from '../session/index.js';

/**
 * Lets the user pick a window from a numbered list in the terminal.
 * @returns the window's id; undefined when `stop` came first
 * @throws CAP_USAGE without a terminal, or when none was picked; CAP_SOURCE_NOT_FOUND when there is none
 */
export async function pickWindow(display: string | undefined, stop: AbortSignal): Promise<string | undefined> {
  const windows = listWindows(display);
  if (windows.length === 0) throw new CapError('CAP_SOURCE_NOT_FOUND', 'the display has no titled windows');
  if (!process.stdin.isTTY) {
    throw new CapError('CAP_USAGE', '--window needs an id, title or class where there is no terminal to pick it in', {
      hint: `windows: ${windows.map(({ id, title }) => `${id} "${title}"`).join(', ')}`,
    });
  }
  windows.forEach((window, index) => {
    process.stderr.write(`${String(index + 1).padStart(3)}  ${describe(window)}\n`);
  });
  return ask(windows, stop);
}

const describe = (window: WindowRow): string =>
  `${window.title}  ${window.class && `(${window.class}) `}${formatSize(window)} ${window.id}`;

async function ask(windows: readonly WindowRow[], stop: AbortSignal): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, signal: stop });
  const prompt = (): unknown => process.stderr.write(`Which window? 1 to ${windows.length}: `);
  try {
    prompt();
    for await (const line of lines) {
      const picked = /^\s*\d{1,4}\s*$/.test(line) ? windows[Number(line) - 1] : undefined;
      if (picked) return picked.id;
      prompt();
    }
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    lines.close();
  }
  if (stop.aborted) return undefined;
  throw new CapError('CAP_USAGE', 'no window was picked', { hint: 'or name one: --window <id|title|class>' });
}
