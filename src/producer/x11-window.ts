import { CapError } from '../core/index.js';
import type { X11Window } from '../native/index.js';

/**
 * The window meant by `wanted`: an id (`0x…` or decimal), else a title, else a class, and at last a part of
 * either; letter case is ignored.
 * @throws CAP_SOURCE_NOT_FOUND when there is none, or more than one of equal rank.
 */
export function findWindow(windows: readonly X11Window[], wanted: string): X11Window {
  const id = /^(0x[0-9a-f]+|\d+)$/i.test(wanted) ? Number(wanted) : undefined;
  const byId = windows.find((window) => window.id === id);
  if (byId) return byId;
  const text = wanted.toLowerCase();
  const ranks = [
    windows.filter((window) => window.title.toLowerCase() === text),
    windows.filter((window) => window.className.toLowerCase() === text),
    windows.filter(({ title, className }) => `${title}\n${className}`.toLowerCase().includes(text)),
  ];
  const found = ranks.find((rank) => rank.length > 0) ?? [];
  if (found.length === 1 && found[0] && text !== '') return found[0];
  const list = (found.length > 1 ? found : windows).map(describe).join(', ');
  throw new CapError(
    'CAP_SOURCE_NOT_FOUND',
    `${found.length > 1 ? 'more than one' : 'no'} window matches "${wanted}"`,
    {
      hint: list === '' ? 'the display has no titled windows' : `windows: ${list}`,
    },
  );
}

const describe = (window: X11Window): string => `0x${window.id.toString(16)} "${window.title}"`;
