/** What a real server answers with a status and its own form of an error. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** The error's type in the provider's own words. */
    readonly type: string,
    message: string,
    readonly code: string | null = null,
  ) {
    super(message);
  }
}

export type Json = Record<string, unknown>;

export function expectObject(value: unknown, what: string, refuse: (message: string) => Refusal): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${what} must be an object`);
  return value as Json;
}

export function expectArray(value: unknown, what: string, refuse: (message: string) => Refusal): unknown[] {
  if (!Array.isArray(value)) throw refuse(`${what} must be an array`);
  return value;
}

export function expectText(value: unknown, what: string, refuse: (message: string) => Refusal): string {
  if (typeof value !== 'string' || value === '') throw refuse(`${what} must be a non-empty string`);
  return value;
}

export function expectFields(
  value: Json,
  known: readonly string[],
  what: string,
  refuse: (message: string) => Refusal,
): void {
  const extra = Object.keys(value).find((key) => !known.includes(key));
  if (extra !== undefined) throw refuse(`Unknown parameter: '${what}${extra}'.`);
}
