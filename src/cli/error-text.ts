import type { CapError } from '../core/index.js';

/** An error as one line: what happened, and in parentheses what to do about it. */
export function errorText({ message, hint }: CapError): string {
  return message + (hint ? ` (${hint})` : '');
}
