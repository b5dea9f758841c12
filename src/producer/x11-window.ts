import type { X11Window } from '../native/index.js';
import { findNamedWindow } from './find-window.js';

/**
 * The window meant by `wanted`: an id (`0x…` or decimal), else a title, else a class, and at last a part of
 * either; letter case is ignored.
 * @param byId the window of an id that is not in the list: one without a title
 * @throws CAP_SOURCE_NOT_FOUND when there is none, or more than one of equal rank.
 */
export function findWindow(
  windows: readonly X11Window[],
  wanted: string,
  byId: (id: number) => X11Window | undefined,
): X11Window {
  const id = /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(wanted) ? Number(wanted) : undefined;
  const found = windows.find((window) => window.id === id) ?? (id === undefined ? undefined : byId(id));
  return found ?? findNamedWindow(windows, wanted, describe);
}

const describe = (window: X11Window): string => `0x${window.id.toString(16)} "${window.title}"`;
