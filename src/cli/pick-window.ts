import { createInterface } from 'node:readline';
import { CapError, formatSize } from '../core/index.js';
import {
  chooseDisplayServer,
  clickWindow,
  type DisplayChoice,
  listWindows,
  type WindowRow,
  x11DisplayName,
} from '../session/index.js';

const CANCEL = 'Escape or the right button cancels';

/**
 * Has the user pick a window: by a click on X11, from a numbered list in a terminal, or either of the two.
 * @returns the window's id; undefined when the user cancelled, or `stop` came first
 * @throws CAP_USAGE where there is neither, or when none was picked; CAP_SOURCE_NOT_FOUND when there is none
 */
export async function pickWindow(choice: DisplayChoice, stop: AbortSignal): Promise<string | undefined> {
  const windows = listWindows(choice);
  const clicks = chooseDisplayServer(choice, process.env) === 'x11';
  const asks = process.stdin.isTTY === true && windows.length > 0;
  if (!clicks && windows.length === 0) {
    throw new CapError('CAP_SOURCE_NOT_FOUND', 'the display has no window that can be captured');
  }
  if (!clicks && !asks) {
    throw new CapError('CAP_USAGE', '--window needs an id, title or class where there is no terminal to pick it in', {
      hint: `windows: ${windows.map(({ id, title }) => `${id} "${title}"`).join(', ')}`,
    });
  }
  const decided = new AbortController();
  const signal = AbortSignal.any([stop, decided.signal]);
  const ways: Promise<string | undefined>[] = [];
  if (asks) ways.push(ask(windows, clicks, signal));
  if (clicks) ways.push(click(x11DisplayName(choice.display), asks, signal));
  try {
    return await Promise.race(ways);
  } finally {
    decided.abort();
    await Promise.allSettled(ways); // the mouse and the terminal are let go of
  }
}

async function click(display: string, asksToo: boolean, signal: AbortSignal): Promise<string | undefined> {
  const id = await clickWindow(display, {
    signal,
    onReady: () => {
      if (!asksToo) say(`Click the window to capture; ${CANCEL}.\n`);
    },
    onMissed: () => say(`That is no window. Click one; ${CANCEL}.\n`),
  });
  if (id === undefined && !signal.aborted) say(`${asksToo ? '\n' : ''}No window was picked.\n`);
  return id;
}

async function ask(
  windows: readonly WindowRow[],
  clicksToo: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  say(windows.map((window, index) => `${String(index + 1).padStart(3)}  ${describe(window)}\n`).join(''));
  const lines = createInterface({ input: process.stdin, signal });
  const prompt = (): void =>
    say(`Which window? 1 to ${windows.length}${clicksToo ? `, or click it; ${CANCEL}` : ''}: `);
  try {
    prompt();
    for await (const line of lines) {
      const picked = /^\s*\d{1,4}\s*$/.test(line) ? windows[Number(line) - 1] : undefined;
      if (picked) return picked.id;
      prompt();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    lines.close();
  }
  if (signal.aborted) return undefined;
  throw new CapError('CAP_USAGE', 'no window was picked', { hint: 'or name one: --window <id|title|class>' });
}

/** Titles come from other programs: no control character of theirs reaches the terminal. */
function describe({ title, class: name, width, height, id }: WindowRow): string {
  const size = width === undefined || height === undefined ? '' : `${formatSize({ width, height })} `;
  return `${title}  ${name && `(${name}) `}${size}${id}`.replace(/\p{Cc}/gu, ' ');
}

function say(text: string): void {
  process.stderr.write(text);
}
