import { CapError } from '../core/index.js';

interface Named {
  readonly title: string;
  readonly className: string;
}

/**
 * The window meant by `wanted`: a title, else a class, and at last a part of either; letter case is ignored.
 * @param describe a window for people, in the list of those there are
 * @throws CAP_SOURCE_NOT_FOUND when there is none, or more than one of equal rank
 */
export function findNamedWindow<Window extends Named>(
  windows: readonly Window[],
  wanted: string,
  describe: (window: Window) => string,
): Window {
  const text = wanted.toLowerCase();
  const ranks = [
    windows.filter((window) => window.title.toLowerCase() === text),
    windows.filter((window) => window.className.toLowerCase() === text),
    windows.filter(({ title, className }) => `${title}\n${className}`.toLowerCase().includes(text)),
  ];
  const found = ranks.find((rank) => rank.length > 0) ?? [];
  if (found.length === 1 && found[0] && text !== '') return found[0];
  const list = (found.length > 1 ? found : windows).map(describe).join(', ');
  const count = found.length > 1 ? 'more than one' : 'no';
  throw new CapError('CAP_SOURCE_NOT_FOUND', `${count} window matches "${wanted}"`, {
    hint: list === '' ? 'the display has no titled windows' : `windows: ${list}`,
  });
}
