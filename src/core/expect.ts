import { CapError } from './errors.js';

/** The usage error of every option check: `expected X for name, received Y`. */
export function unexpected(name: string, expected: string, received: unknown, hint?: string): CapError {
  const shown = typeof received === 'string' ? `"${received}"` : String(received);
  return new CapError('CAP_USAGE', `expected ${expected} for ${name}, received ${shown}`, hint ? { hint } : {});
}

/** Returns `value` when it is an integer within the bounds, else throws CAP_USAGE. */
export function expectInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw unexpected(name, `a whole number from ${min} to ${max}`, value);
  }
  return value;
}

/** Throws CAP_USAGE when `options` has a key that is not in `known`. */
export function expectKnownKeys(what: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new CapError('CAP_USAGE', `unknown option "${key}" for ${what}`, {
        hint: `known options: ${known.join(', ')}`,
      });
    }
  }
}
